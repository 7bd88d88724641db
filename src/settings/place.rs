//! Where a crawl is kept and what it is called.

use super::values;
use std::fmt;
use std::path::{Path, PathBuf};
use url::Url;

/// Where the crawl is kept and what it is called, as far as the operator said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The store, if one was named.
    pub store: Option<StoreUrl>,
    /// The name, if one was given; letters, digits, `.`, `-`, `_`.
    pub name: Option<String>,
}

impl Place {
    /// The crawl's name: the one given, or the host of its first seed with `:` made `-`.
    pub fn name_for(&self, first_seed: &Url) -> String {
        self.name.clone().unwrap_or_else(|| {
            let key = crate::crawl::host::HostKey::of(first_seed);
            let plain = |c: char| if values::fits_name(c) { c } else { '-' };
            let name: String = key.as_str().chars().map(plain).take(values::MAX_NAME).collect();
            let name = name.trim_matches(['-', '.']);
            if name.is_empty() { "crawl".to_owned() } else { name.to_owned() }
        })
    }

    /// The store of the crawl called `name`: the one given, or `crawls/<name>.db`.
    pub fn store_for(&self, name: &str) -> StoreUrl {
        self.store.clone().unwrap_or_else(|| StoreUrl::usual(name))
    }
}

/// The address of a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreUrl {
    /// `sqlite:PATH`.
    Sqlite(PathBuf),
    /// `postgres://USER:PASSWORD@HOST:PORT/DATABASE`.
    Postgres(PostgresUrl),
}

impl StoreUrl {
    /// The store of a crawl that was given none.
    pub fn usual(name: &str) -> Self {
        Self::Sqlite(Path::new("crawls").join(format!("{name}.db")))
    }

    /// As a setting names it, with the password.
    pub fn exposed(&self) -> String {
        match self {
            Self::Sqlite(_) => self.to_string(),
            Self::Postgres(url) => url.expose().to_owned(),
        }
    }

    /// Where it is, in words for people: the path, or the address without its password.
    pub fn place(&self) -> String {
        match self {
            Self::Sqlite(path) => path.display().to_string(),
            Self::Postgres(url) => url.to_string(),
        }
    }
}

impl fmt::Display for StoreUrl {
    /// As a setting names it, but for the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(url) => url.fmt(f),
        }
    }
}

/// The address of a database. Its password is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresUrl(Url);

/// Parameters of the address that Postgres knows and that we pass on.
const PARAMETERS: [&str; 14] = [
    "sslmode",
    "ssl-mode",
    "sslrootcert",
    "ssl-root-cert",
    "sslcert",
    "sslkey",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
    "options",
];

impl PostgresUrl {
    /// Reads an address. No error repeats it: it may hold a password.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        const FORM: &str = "a database is written postgres://USER:PASSWORD@HOST:PORT/DATABASE";
        let url = Url::parse(text).map_err(|why| format!("{FORM} ({why})"))?;
        if !url.has_host() && !url.query_pairs().any(|(name, _)| name == "host") {
            return Err(FORM.to_owned());
        }
        match url.query_pairs().find(|(name, _)| !PARAMETERS.contains(&&**name)) {
            Some((name, _)) => Err(format!("{name:?} is no parameter of a database; {FORM}")),
            None => Ok(Self(url)),
        }
    }

    /// The address itself, with its password.
    pub fn expose(&self) -> &str {
        self.0.as_str()
    }
}

impl fmt::Display for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = self.0.clone();
        _ = shown.set_password(None);
        let kept: Vec<(String, String)> =
            self.0.query_pairs().into_owned().filter(|(name, _)| name != "password").collect();
        shown.set_query(None);
        if !kept.is_empty() {
            shown.query_pairs_mut().extend_pairs(kept);
        }
        f.write_str(shown.as_str())
    }
}

impl fmt::Debug for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_way_of_showing_an_address_shows_its_password() {
        for (text, shown) in [
            ("postgres://u:s3cret@h:5433/d", "postgres://u@h:5433/d"),
            ("postgresql://u@h/d?password=s3cret&sslmode=require", "postgresql://u@h/d?sslmode=require"),
            ("postgres:///d?host=/run/pg&password=s3cret", "postgres:///d?host=%2Frun%2Fpg"),
            ("postgres://u:s3cret@h", "postgres://u@h"),
        ] {
            let url = PostgresUrl::parse(text).unwrap();
            assert_eq!(url.expose(), text);
            let store = StoreUrl::Postgres(url);
            assert_eq!((store.to_string(), store.place()), (shown.to_owned(), shown.to_owned()));
            assert!(!format!("{store:?}").contains("s3cret"), "{store:?}");
        }
        for text in ["postgres://u:s3cret@h:port/d", "postgres:s3cret", "postgres://u@h/d?s3cret=s3cret"] {
            let why = PostgresUrl::parse(text).unwrap_err();
            assert!(why.contains("postgres://USER") && !why.contains("u:s3cret"), "{why}");
        }
    }
}
