//! Which store and which crawl a command means.

use super::args::Global;
use super::exit::{ExitCode, Failure};
use super::running::runtime;
use super::shell;
use super::table::{Format, Rows, Screen, Value};
use crate::settings::{self, Entry, Place, StoreUrl};
use crate::store::reading::Age;
use crate::store::{StoreError, postgres, sqlite};
use std::io::{BufWriter, Write, stdout};
use std::path::PathBuf;

/// The store that the settings name, or the only one in `./crawls`.
pub(super) fn find(place: &Place) -> Result<StoreUrl, Failure> {
    let store = match (&place.store, &place.name) {
        (Some(store), _) => store.clone(),
        (None, Some(name)) => place.store_for(name),
        (None, None) => StoreUrl::Sqlite(only_store()?),
    };
    match &store {
        StoreUrl::Sqlite(path) if !path.exists() => {
            Err(Failure::usage(format!("there is no store {}", path.display()))
                .hint("huntsman crawl SEED starts a crawl; --store says where another one is"))
        }
        _ => Ok(store),
    }
}

fn only_store() -> Result<PathBuf, Failure> {
    let files = std::fs::read_dir("crawls").into_iter().flatten().flatten().map(|entry| entry.path());
    let mut stores: Vec<PathBuf> =
        files.filter(|path| path.extension().is_some_and(|end| end == "db")).collect();
    stores.sort();
    match &stores[..] {
        [one] => Ok(one.clone()),
        [] => Err(Failure::usage("there is no crawl in ./crawls").hint("name one with --store sqlite:PATH")),
        several => {
            let names: Vec<_> = several
                .iter()
                .filter_map(|path| path.file_stem())
                .map(|name| name.to_string_lossy())
                .collect();
            Err(Failure::usage("there are several crawls in ./crawls")
                .hint(format!("name one: {}", names.join(", "))))
        }
    }
}

/// The crawl that was asked for, or the only one of a store.
pub(super) fn choose(names: &[String], asked: Option<&str>, store: &StoreUrl) -> Result<String, Failure> {
    match (asked, names) {
        (Some(asked), _) if names.iter().any(|name| name == asked) => Ok(asked.to_owned()),
        (None, [one]) => Ok(one.clone()),
        (_, []) => Err(no_crawl(store)),
        (asked, _) => {
            let what =
                asked.map_or_else(|| "several crawls".to_owned(), |asked| format!("no crawl {asked:?}"));
            let hint = format!("name one: {}", names.join(", "));
            Err(Failure::usage(format!("{} holds {what}", store.place())).hint(hint))
        }
    }
}

/// A connection that only reads, to whatever store.
enum Reader {
    Sqlite(sqlite::reader::Reader),
    Postgres(postgres::reader::Reader),
}

impl Reader {
    /// `None` where the store has no tables yet, and so no crawl.
    async fn open(store: &StoreUrl) -> Result<Option<Self>, StoreError> {
        Ok(match store {
            StoreUrl::Sqlite(path) => sqlite::reader::Reader::open(path).await?.map(Self::Sqlite),
            StoreUrl::Postgres(url) => {
                postgres::reader::Reader::open(url.expose()).await?.map(Self::Postgres)
            }
        })
    }

    /// The number of the last change to the tables, as those of a file are counted.
    fn version(&self) -> i64 {
        match self {
            Self::Sqlite(reader) => reader.version(),
            // A database had from the first what was added to a file bit by bit.
            Self::Postgres(_) => i64::MAX,
        }
    }

    fn age(&self) -> Age {
        match self {
            Self::Sqlite(reader) => reader.age(),
            Self::Postgres(reader) => reader.age(),
        }
    }

    async fn rows(
        &mut self,
        statement: &str,
        parameters: &[Value],
        take: impl FnMut(&[String], Vec<Value>) -> bool,
    ) -> Result<Result<(), String>, StoreError> {
        match self {
            Self::Sqlite(reader) => reader.rows(statement, parameters, take).await,
            Self::Postgres(reader) => reader.rows(statement, parameters, take).await,
        }
    }
}

/// What is said of a store that no crawl was ever written to.
pub(super) fn no_crawl(store: &StoreUrl) -> Failure {
    Failure::usage(format!("{} holds no crawl", store.place()))
        .hint(format!("huntsman crawl SEED{} starts one", shell::store_flag(store)))
}

/// A store opened for reading, with where it is and the name that was asked for.
pub(super) struct Opened {
    pub(super) store: StoreUrl,
    pub(super) name: Option<String>,
    reader: Reader,
    runtime: tokio::runtime::Runtime,
}

impl Opened {
    /// Opens the store that flags, variables and file name.
    pub(super) fn open(entries: Vec<Entry>, global: &Global) -> Result<Self, Failure> {
        let place = settings::load(&global.config_file(), entries)?.place()?;
        let store = find(&place)?;
        let runtime = runtime()?;
        let reader = runtime.block_on(Reader::open(&store))?.ok_or_else(|| no_crawl(&store))?;
        Ok(Self { store, name: place.name, reader, runtime })
    }

    /// The number of the last change to the tables of the store.
    pub(super) fn version(&self) -> i64 {
        self.reader.version()
    }

    /// The rows of a statement of ours.
    pub(super) fn rows(&mut self, statement: &str, parameters: &[Value]) -> Result<Vec<Vec<Value>>, Failure> {
        let mut rows = Vec::new();
        self.each(statement, parameters, |row| {
            rows.push(row);
            true
        })?;
        Ok(rows)
    }

    /// Hands the rows of a statement of ours to `take` as they come, until it wants no more.
    pub(super) fn each(
        &mut self,
        statement: &str,
        parameters: &[Value],
        mut take: impl FnMut(Vec<Value>) -> bool,
    ) -> Result<(), Failure> {
        let read = self.reader.rows(statement, parameters, |_, row| take(row));
        self.runtime.block_on(read)?.map_err(|why| match self.age_hint() {
            Some(hint) => Failure::new(ExitCode::Storage, anyhow::anyhow!(why)).hint(hint),
            None => Failure::new(ExitCode::Internal, anyhow::anyhow!(why)),
        })
    }

    /// Why a statement may fail that asks for what this version has.
    fn age_hint(&self) -> Option<String> {
        match self.reader.age() {
            Age::Ours => None,
            Age::Older => Some(format!(
                "{} was written by an older huntsman; this brings it up to date:  huntsman resume{}",
                self.store.place(),
                shell::store_flag(&self.store)
            )),
            Age::Newer => {
                Some(format!("{} was written by a newer huntsman; use that one", self.store.place()))
            }
        }
    }

    /// Prints the rows of a statement as they come.
    pub(super) fn print(
        &mut self,
        statement: &str,
        parameters: &[Value],
        format: Format,
    ) -> Result<ExitCode, Failure> {
        self.write(BufWriter::new(stdout()), Screen::stdout(), statement, parameters, format)
    }

    /// The same into a buffer.
    pub(super) fn print_to(
        &mut self,
        out: &mut Vec<u8>,
        statement: &str,
        parameters: &[Value],
        format: Format,
    ) -> Result<ExitCode, Failure> {
        self.write(out, Screen::File, statement, parameters, format)
    }

    fn write(
        &mut self,
        out: impl Write,
        screen: Screen,
        statement: &str,
        parameters: &[Value],
        format: Format,
    ) -> Result<ExitCode, Failure> {
        let (mut out, mut rows) = (Some(out), None);
        let mut broken = None;
        let read = self.reader.rows(statement, parameters, |names, row| {
            if let Some(out) = out.take() {
                rows = Some(Rows::new(out, format, screen, names.to_vec()));
            }
            broken = rows.as_mut().and_then(|rows| rows.push(row).err());
            broken.is_none()
        });
        self.runtime.block_on(read)?.map_err(|why| {
            let documents = || "the tables are described in migrations/README.md".to_owned();
            Failure::usage(why).hint(self.age_hint().unwrap_or_else(documents))
        })?;
        if let Some(why) = broken {
            return Err(why.into());
        }
        if let Some(out) = out {
            rows = Some(Rows::new(out, format, screen, Vec::new()));
        }
        if let Some(rows) = rows {
            rows.finish()?;
        }
        Ok(ExitCode::Done)
    }
}
