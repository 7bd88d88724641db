//! Real documentation behind nginx: what is stored is what an independent parser and client reach, title by title.

use super::{run, said, sql, wait_until};
use std::collections::BTreeSet;
use std::fmt::Write;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

/// The books of the Rust documentation that the test takes; `benches/crawl` takes them all.
const BOOKS: [&str; 8] = [
    "index.html",
    "book",
    "cargo",
    "edition-guide",
    "error_codes",
    "nomicon",
    "rust-by-example",
    "style-guide",
];

struct Nginx(Child);

impl Drop for Nginx {
    fn drop(&mut self) {
        _ = Command::new("kill").arg(self.0.id().to_string()).status();
        _ = self.0.wait();
    }
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn serve(folder: &Path, roots: &[(u16, PathBuf)]) -> Nginx {
    let dir = folder.display();
    let mut config = format!(
        "user root; worker_processes 1; daemon off; pid {dir}/pid; error_log {dir}/error.log;\n\
         events {{ worker_connections 256; }}\nhttp {{ include /etc/nginx/mime.types; access_log off;\n\
         client_body_temp_path {dir}/b; proxy_temp_path {dir}/p; fastcgi_temp_path {dir}/f; \
         uwsgi_temp_path {dir}/u; scgi_temp_path {dir}/s;\n"
    );
    for (port, root) in roots {
        let root = root.display();
        writeln!(
            config,
            "server {{ listen 127.0.0.1:{port}; root {root}; location ~ (/|\\.html)$ {{}} location / {{ return 404; }} }}"
        )
        .unwrap();
    }
    config.push_str("}\n");
    let file = folder.join("nginx.conf");
    std::fs::write(&file, config).unwrap();
    let nginx = Nginx(Command::new("nginx").arg("-c").arg(&file).spawn().expect("nginx"));
    for (port, _) in roots {
        wait_until("nginx", || TcpStream::connect(("127.0.0.1", *port)).is_ok());
    }
    nginx
}

fn rust_docs(folder: &Path) -> PathBuf {
    let sysroot = Command::new("rustc").args(["--print", "sysroot"]).output().expect("rustc");
    let docs = Path::new(String::from_utf8(sysroot.stdout).unwrap().trim()).join("share/doc/rust/html");
    assert!(
        docs.join("index.html").exists(),
        "the toolchain has no documentation: rustup component add rust-docs"
    );
    let root = folder.join("rust");
    std::fs::create_dir(&root).unwrap();
    for book in BOOKS {
        std::os::unix::fs::symlink(docs.join(book), root.join(book)).unwrap();
    }
    root
}

#[test]
fn real_documentation_is_stored_page_by_page_and_title_by_title() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let debian =
        ["/usr/share/doc/python3.11/html", "/usr/share/doc/postgresql-doc-15/html"].map(PathBuf::from);
    for docs in &debian {
        assert!(docs.join("index.html").exists(), "{} is missing: tests/run installs it", docs.display());
    }
    let [python, postgres] = debian;
    let roots = [(free_port(), rust_docs(folder)), (free_port(), python), (free_port(), postgres)];
    let _nginx = serve(folder, &roots);
    let tool = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tools/reachable.py");
    for (port, root) in &roots {
        let seed = format!("http://127.0.0.1:{port}/index.html");
        let output = run(folder, &["crawl", &seed, "--name", "t", "--store", &format!("sqlite:{port}.db")]);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        let query = "select url || char(9) || coalesce(title, '') from pages";
        let stored: BTreeSet<String> = sql(&folder.join(format!("{port}.db")), query).into_iter().collect();
        let listed = Command::new("python3").arg(&tool).arg(&seed).output().expect("python3");
        assert!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stderr));
        let reachable: BTreeSet<String> =
            String::from_utf8(listed.stdout).unwrap().lines().map(str::to_owned).collect();
        let missing: Vec<_> = reachable.difference(&stored).take(5).collect();
        let extra: Vec<_> = stored.difference(&reachable).take(5).collect();
        println!("{}: {} pages stored, {} reachable", root.display(), stored.len(), reachable.len());
        assert!(missing.is_empty() && extra.is_empty(), "missing {missing:#?}, too much {extra:#?}");
        assert!(stored.len() > 100);
    }
}
