//! The examples at the end of each command's help.

pub(super) const ALL: &str = "\
Examples:
  huntsman crawl https://example.org          crawl one site into crawls/example.org.db
  huntsman crawl seeds.txt --max-pages 1000   crawl from a list, 1,000 pages at most
  huntsman resume                             continue after Ctrl-C or a crash
  huntsman query \"select status, count(*) from fetches group by 1\"
  huntsman why https://example.org/page       what became of a URL, and why
  huntsman demo                               crawl a simulated web and check the result";

pub(super) const SETTINGS: &str = "\
Settings:
  Built-in values, then a settings file (--config FILE, or ./huntsman.toml, or the one in
  $XDG_CONFIG_HOME/huntsman/), then HUNTSMAN_* variables, then flags: the later wins.
  The variable of --max-pages is HUNTSMAN_MAX_PAGES; a list has one value a line.
  `huntsman config show --origin` says where each value came from.";

pub(super) const CRAWL: &str = "\
Examples:
  huntsman crawl https://example.org/docs/ --scope prefix --text
  huntsman crawl seeds.txt --exclude '\\.pdf$' --contact you@example.org
  huntsman crawl https://example.org --select 'price=.price' --select 'name=h1'
  cat urls | huntsman crawl - --name mine --depth 1

A seed list has one URL a line, `#` comments, and behind a URL optional depth=N, scope=KIND,
priority=0..9 (9 is visited first).";

pub(super) const RESUME: &str = "\
A setting that is not given is that which the crawl was started with, not the default above.

Examples:
  huntsman resume                             the only crawl in ./crawls
  huntsman resume example.org --delay 2s      from now on more slowly
  huntsman resume --store sqlite:mine.db --max-pages none";

pub(super) const SCHEDULER: &str = "\
It runs until SIGTERM. Several may run: one leads, the others stand by.

Examples:
  huntsman scheduler https://example.org --frontier redis://r1 --store postgres://me@db1/crawls
  huntsman scheduler --frontier redis://r1 --store postgres://me@db1/crawls";

pub(super) const NODE: &str = "\
It runs until SIGTERM, and then ends what it has in hand. Start as many as are wanted.

Examples:
  huntsman node --frontier redis://r1
  huntsman node --frontier redis://r1 --concurrency 256 --allow-private 10.0.0.0/8";

pub(super) const STORAGE: &str = "\
It runs until SIGTERM. Several may run.

Examples:
  huntsman storage --frontier redis://r1 --store postgres://me@db1/crawls";

pub(super) const ADD: &str = "\
They are crawled as the crawl was started. A finished one runs again; one in a file with the next `huntsman resume`.

Examples:
  huntsman add https://example.org/new --store postgres://me@db1/crawls
  huntsman add more.txt --name docs --store postgres://me@db1/crawls
  huntsman add https://example.org/new --store sqlite:mine.db";

pub(super) const RELEASE: &str = "\
What was released is parked no more. In a file it is visited with the next `huntsman resume`.

Examples:
  huntsman release https://example.org/a/a/a/page
  huntsman release --rule repeated-path --host example.org --name docs
  huntsman release --rule far --store postgres://me@db1/crawls";

pub(super) const PAUSE: &str = "\
It counts within a second; a visit that is under way ends. `huntsman resume` goes on.

Examples:
  huntsman pause --store postgres://me@db1/crawls
  huntsman pause docs --store postgres://me@db1/crawls";

pub(super) const CANCEL: &str = "\
It counts within a second. Its URLs leave the index and stay in the store, where `huntsman resume` finds them.

Examples:
  huntsman cancel docs --store postgres://me@db1/crawls";

pub(super) const NODES: &str = "\
Examples:
  huntsman nodes --frontier redis://r1
  huntsman nodes --frontier redis://r1 --json";

pub(super) const DRAIN: &str = "\
Examples:
  huntsman drain node-4711-1a2b3c4d --frontier redis://r1";

pub(super) const RECOVER: &str = "\
An index that was lost is noticed without this. Nothing in it is needed: the store has everything.

Examples:
  huntsman recover --frontier redis://r1 --store postgres://me@db1/crawls";

pub(super) const STATUS: &str = "\
Examples:
  huntsman status
  huntsman status example.org --json
  huntsman status --store sqlite:mine.db
  huntsman status --frontier redis://r1 --store postgres://me@db1/crawls";

pub(super) const WHY: &str = "\
Examples:
  huntsman why https://example.org/private/page
  huntsman why 'https://example.org/list?page=2' --store sqlite:mine.db";

pub(super) const QUERY: &str = "\
Examples:
  huntsman query \"select status, count(*) from fetches group by 1\"
  huntsman query \"select url, title from pages where status = 200\" --format csv > pages.csv";

pub(super) const PAGES: &str = "\
Examples:
  huntsman pages --title rust --limit 20
  huntsman pages --host example.org --since 2h --format json
  huntsman pages --status 2xx --format csv > pages.csv";

pub(super) const FETCH: &str = "\
Examples:
  huntsman fetch https://example.org/page
  huntsman fetch https://example.org/page --select 'price=.price' --follow
  huntsman fetch https://example.org/page --format json";

pub(super) const ROBOTS: &str = "\
Examples:
  huntsman robots https://example.org/private/page
  huntsman robots --file robots.txt --agent huntsman https://example.org/a https://example.org/b";

pub(super) const CONFIG: &str = "\
Examples:
  huntsman config show --origin
  huntsman config defaults > huntsman.toml";

pub(super) const CONFIG_SHOW: &str = "\
Examples:
  huntsman config show --origin
  HUNTSMAN_DELAY=2s huntsman config show --origin --depth 3";

pub(super) const CONFIG_DEFAULTS: &str = "\
Example:
  huntsman config defaults > huntsman.toml";

pub(super) const COMPLETIONS: &str = "\
Examples:
  huntsman completions bash > ~/.local/share/bash-completion/completions/huntsman
  huntsman completions fish > ~/.config/fish/completions/huntsman.fish";

pub(super) const MAN: &str = "\
Examples:
  huntsman man | man -l -
  huntsman man --dir ~/.local/share/man/man1";

pub(super) const TESTWEB: &str = "\
Examples:
  huntsman testweb --hosts 20 --pages 500 --port 8080
  huntsman testweb --error-rate 0.05 --redirects 0.1 --robots rules --truth truth.jsonl";

pub(super) const DEMO: &str = "\
Examples:
  huntsman demo
  huntsman demo --hosts 50 --pages 20 --delay 100ms --store sqlite:demo.db";
