//! What each layer may say, and what is said of its mistakes.

use super::show::{Origins, documented_defaults, show};
use super::table::{SETTINGS, Setting};
use super::*;
use crate::crawl::politeness::Delay;
use std::collections::HashSet;
use std::time::Duration;

fn file(text: &str) -> Result<Layers, Mistake> {
    Layers::built_in().with_file(Path::new("huntsman.toml"), text)
}

fn flag(name: &str, value: &str) -> Entry {
    let setting = Setting::find(name).unwrap();
    Entry { setting, raw: Raw::One(value.to_owned()), origin: Origin::Flag(setting.flag()) }
}

fn variable(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

fn mistake(text: &str) -> String {
    file(text).and_then(|layers| layers.settings().map(drop)).unwrap_err().to_string()
}

#[test]
fn the_defaults_are_those_of_the_design() {
    let settings = Layers::built_in().settings().unwrap();
    assert_eq!(settings.politeness.delay, Delay::Auto);
    assert_eq!(settings.politeness.delay.ours(false), Duration::from_millis(250));
    assert_eq!(settings.politeness.delay.ours(true), Duration::ZERO);
    assert_eq!(settings.politeness.robots, Robots::Obey);
    assert_eq!((settings.politeness.per_host, settings.network.concurrency), (1, 64));
    assert_eq!(settings.network.timeouts, crate::fetch::Timeouts::default());
    assert_eq!(settings.network.max_body, 10 << 20);
    assert_eq!((settings.limits.depth, settings.limits.max_pages, settings.limits.retries), (None, None, 2));
    assert_eq!(settings.limits.wait, Duration::from_secs(600));
    assert_eq!(settings.identity.robots_token, "huntsman");
    assert!(settings.identity.user_agent.starts_with("huntsman/"));
    assert_eq!(settings.place, Place { store: None, name: None });
}

#[test]
fn each_layer_goes_over_the_one_below() {
    let text = "[politeness]\ndelay = \"1s\"\n[limits]\ndepth = 3\nretries = 4\nmax_pages = 7\n";
    let layers = file(text)
        .unwrap()
        .with_variables([variable("HUNTSMAN_DEPTH", "4"), variable("HUNTSMAN_RETRIES", "5")])
        .with([flag("depth", "5")]);
    let settings = layers.settings().unwrap();
    assert_eq!(settings.politeness.delay, Delay::Fixed(Duration::from_secs(1)));
    assert_eq!(
        (settings.limits.depth, settings.limits.retries, settings.limits.max_pages),
        (Some(5), 5, Some(7))
    );

    let stored = file("[limits]\ndepth = 1\nmax_pages = 1\nwait = \"1s\"").unwrap().to_stored();
    let json = serde_json::to_string(&stored).unwrap();
    let resumed = layers.with_stored(&serde_json::from_str(&json).unwrap()).settings().unwrap();
    assert_eq!((resumed.limits.depth, resumed.limits.max_pages), (Some(5), Some(1)));
    assert_eq!(resumed.limits.wait, Duration::from_secs(1));
}

#[test]
fn what_is_stored_with_a_crawl_holds_no_secret() {
    let layers =
        Layers::built_in().with([flag("header", "Cookie: s3cret"), flag("proxy", "http://u:s3cret@p:1")]);
    let layers = layers.with([flag("store", "postgres://u:s3cret@h/d?password=s3cret")]);
    assert!(!serde_json::to_string(&layers.to_stored()).unwrap().contains("s3cret"));
    assert!(!format!("{:?}", layers.settings().unwrap()).contains("s3cret"));
    for origins in [Origins::Shown, Origins::Hidden] {
        let shown = show(&layers, origins);
        assert!(!shown.contains("s3cret"), "{shown}");
        assert!(shown.contains("store = \"postgres://u@h/d\""), "{shown}");
        assert!(
            shown.contains("header = \"Cookie: <redacted>\"") || shown.contains("[\"Cookie: <redacted>\"]")
        );
    }
}

#[test]
fn a_mistake_names_its_line_and_what_was_meant() {
    for (text, expected) in [
        (
            "\n[network]\nconcurency = 3",
            "huntsman.toml:3: unknown key 'concurency' in [network]; did you mean 'concurrency'?",
        ),
        ("[netwrok]\n", "huntsman.toml:1: unknown table [netwrok]; did you mean 'network'?"),
        ("[crawl]\n\ndepth = 3", "huntsman.toml:3: 'depth' does not stand in [crawl] but in [limits]"),
        ("depth = 3", "huntsman.toml:1: 'depth' stands in [limits]"),
        (
            "[limits]\nmax_body = 10",
            "huntsman.toml:2: max_body: \"10\" has no unit; write \"10 MiB\" or \"10 KiB\"",
        ),
        ("[politeness]\ndelay = 250", "huntsman.toml:2: delay: \"250\" has no unit; write 250s or 250ms"),
        ("[politeness]\nper_host = 2", "huntsman.toml:2: per_host: 2 requests at a time need --delay 0"),
        ("[scope]\ninclude = \"a\"", "huntsman.toml:2: include: a list is written [\"...\", \"...\"]"),
        (
            "[scope]\ninclude = [\"a(\"]",
            "huntsman.toml:2: include: not a regular expression: \"a(\": unclosed group",
        ),
        (
            "[scope]\nscope = 1",
            "huntsman.toml:2: scope: expected page | prefix | host | domain | any, not a TOML integer",
        ),
        (
            "[output]\nprogress = \"bra\"",
            "huntsman.toml:2: progress: \"bra\" is none of auto, bar, plain, none; did you mean \"bar\"?",
        ),
        (
            "[identity]\nheader = [\"User-Agent: x\"]",
            "huntsman.toml:2: header: the user agent has its own setting, user_agent",
        ),
        (
            "[identity]\nuser_agent = \"1bot\"",
            "huntsman.toml:2: user_agent: \"1bot\" does not start with a product name, as in mybot/1.0",
        ),
        (
            "[crawl]\nstore = \"a.db\"",
            "huntsman.toml:2: store: \"a.db\" is no store; did you mean sqlite:a.db?",
        ),
        (
            "[crawl]\nname = \"../x\"",
            "huntsman.toml:2: name: \"../x\" is no name for a crawl; use up to 64 of letters, digits, '.', '-' and '_'",
        ),
        (
            "[network]\nallow_private = [\"lan\"]",
            "huntsman.toml:2: allow_private: \"lan\" is no network, as in 127.0.0.0/8 or fd00::/8",
        ),
    ] {
        assert_eq!(mistake(text), expected);
    }
    assert!(mistake("[limits]\ndepth = \n").starts_with("huntsman.toml:2: "));
    let wrong = Layers::built_in().with([flag("timeout", "60")]).settings().unwrap_err();
    assert_eq!(wrong.to_string(), "--timeout: \"60\" has no unit; write 60s or 60ms");
    let wrong =
        Layers::built_in().with_variables([variable("HUNTSMAN_TEXT", "maybe")]).settings().unwrap_err();
    assert_eq!(wrong.to_string(), "HUNTSMAN_TEXT: \"maybe\" is neither true nor false");
}

#[test]
fn a_misspelt_variable_is_noticed_and_a_foreign_one_is_not() {
    let variables =
        ["HUNTSMAN_DELAYS", "HUNTSMAN_SERVICE_HOST", "HUNTSMAN_LOG"].map(|name| variable(name, "1"));
    let layers = Layers::built_in().with_variables(variables);
    assert_eq!(layers.misspelt, ["HUNTSMAN_DELAYS is no setting; did you mean HUNTSMAN_DELAY?"]);
}

#[test]
fn lists_come_from_flags_lines_and_arrays() {
    let layers = Layers::built_in().with_variables([variable("HUNTSMAN_EXCLUDE", "a,b\n c \n")]);
    assert_eq!(layers.settings().unwrap().scope.exclude, ["a,b", "c"]);
    let select = file("[extraction]\nselect = ['price=.price', 'h=h1 > a']").unwrap().settings().unwrap();
    assert_eq!(select.extraction.select[1], Select { name: "h".into(), css: "h1 > a".into() });
    assert!(mistake("[extraction]\nselect = ['a=>>']").contains("is no CSS selector"));
    assert!(mistake("[extraction]\nselect = ['a=p:hovr']").ends_with("unsupported pseudo class or element"));
    let parts = file("[extraction]\nselect = ['a=a.next::attr(href)', 'b=h1::text']").unwrap();
    assert_eq!(parts.settings().unwrap().extraction.select.len(), 2);
    assert!(mistake("[extraction]\nselect = ['a=b', 'a=c']").contains("\"a\" is given twice"));
}

#[test]
fn contact_and_user_agent_make_the_identity() {
    let identity = |entries: &[Entry]| Layers::built_in().with(entries.to_vec()).settings().unwrap().identity;
    let with_contact = identity(&[flag("contact", "me@example.org")]).user_agent;
    assert!(
        with_contact.starts_with("huntsman/") && with_contact.contains("me@example.org)"),
        "{with_contact}"
    );
    let own = identity(&[flag("user_agent", "My-Bot/2.0 (x)"), flag("header", "X-Key: abc")]);
    assert_eq!((own.robots_token.as_str(), own.user_agent.as_str()), ("My-Bot", "My-Bot/2.0 (x)"));
    assert_eq!((own.headers[0].0.as_str(), own.headers[0].1.expose()), ("X-Key", "abc"));
    let both = identity(&[flag("user_agent", "My-Bot/2.0"), flag("contact", "me@example.org")]);
    assert_eq!(both.user_agent, "My-Bot/2.0 (+me@example.org)");
    let said = identity(&[flag("user_agent", "b/1 (me@example.org)"), flag("contact", "me@example.org")]);
    assert_eq!(said.user_agent, "b/1 (me@example.org)");
    let wrong = Layers::built_in().with([flag("contact", "nobody")]).settings().unwrap_err();
    assert_eq!(
        wrong.to_string(),
        "--contact: \"nobody\" is neither a mail address nor a URL, as in you@example.org"
    );
}

#[test]
fn no_part_of_a_timeout_is_longer_than_the_whole() {
    let timeouts = Layers::built_in().with([flag("timeout", "12s")]).settings().unwrap().network.timeouts;
    assert_eq!(timeouts.connect, Duration::from_secs(10));
    assert_eq!((timeouts.first_byte, timeouts.stall), (Duration::from_secs(12), Duration::from_secs(12)));
}

#[test]
fn names_and_stores_come_from_the_first_seed() {
    let place = Place { store: None, name: None };
    for (seed, name) in [
        ("https://docs.example.org/x", "docs.example.org"),
        ("http://127.0.0.1:8080/", "127.0.0.1-8080"),
        ("http://[::1]:8080/", "1--8080"),
    ] {
        assert_eq!(place.name_for(&url::Url::parse(seed).unwrap()), name);
        assert_eq!(crawl_name(name), Ok(()));
    }
    assert_eq!(place.store_for("a").to_string(), "sqlite:crawls/a.db");
    assert_eq!(place.store_for("a").place(), "crawls/a.db");
}

#[test]
fn the_documented_file_is_the_table() {
    let documented = documented_defaults();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/huntsman.toml");
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == documented,
        "config/huntsman.toml differs from the table; it should be:\n{documented}"
    );
    let layers = file(&written).unwrap();
    assert_eq!(show(&layers, Origins::Hidden), show(&Layers::built_in(), Origins::Hidden));
    assert!(
        layers.iter().all(|(_, _, origin)| matches!(origin, Origin::File(..))),
        "every setting is in the file"
    );
}

#[test]
fn what_config_show_prints_reads_back() {
    let layers =
        Layers::built_in().with([flag("exclude", r"\.pdf$"), flag("delay", "2s"), flag("depth", "3")]);
    let shown = show(&layers, Origins::Shown);
    assert!(shown.contains("delay = \"2s\"                             # --delay"), "{shown}");
    assert!(shown.contains("per_host = 1                             # default"), "{shown}");
    let again = file(&shown).unwrap().settings().unwrap();
    assert_eq!((again.limits.depth, again.scope.exclude), (Some(3), vec![r"\.pdf$".to_owned()]));
}

#[test]
fn what_a_settings_file_writes_otherwise_reads_back_too() {
    for (name, text, shown) in [
        ("depth", "007", "depth = \"007\""),
        ("depth", "0", "depth = 0"),
        ("retries", "true", "retries = \"true\""),
        ("text", "1", "text = \"1\""),
        ("text", "true", "text = true"),
        ("max_errors", "99999999999999999999", "max_errors = \"99999999999999999999\""),
    ] {
        let layers = Layers::built_in().with([flag(name, text)]);
        let file_text = show(&layers, Origins::Hidden);
        assert!(file_text.lines().any(|line| line == shown), "{file_text}");
        let again = file(&file_text).unwrap();
        assert_eq!(show(&again, Origins::Hidden), file_text);
        assert_eq!(again.settings().is_ok(), layers.settings().is_ok(), "{text}");
    }
}

#[test]
fn names_and_letters_are_unique() {
    let names: HashSet<_> = SETTINGS.iter().map(|setting| setting.name).collect();
    assert_eq!(names.len(), SETTINGS.len());
    let letters: Vec<_> = SETTINGS.iter().filter_map(|setting| setting.short).collect();
    assert_eq!(letters.iter().collect::<HashSet<_>>().len(), letters.len());
}

#[test]
fn what_a_store_reads_of_the_budgets_is_what_the_settings_say() {
    use crate::crawl::traps::Budgets;
    let told = |layers: &Layers| {
        let stored = serde_json::to_string(&layers.to_stored()).unwrap();
        let settings = layers.settings().unwrap();
        assert_eq!(Budgets::of_settings(&stored), settings.limits.budgets);
        settings.limits.budgets
    };
    assert_eq!(told(&Layers::built_in()), Budgets::default());
    assert_eq!(Budgets::of_settings("{}"), Budgets::default());
    assert_eq!(Budgets::of_settings("no JSON"), Budgets::default());
    let text = "[limits]\nhost_pages = 10\nhost_urls = \"none\"\ndomain_pages = 20\ndomain_urls = 30\ndomain_hosts = 40\ntraps = \"follow\"\n";
    let ours = Layers::built_in().with_file(std::path::Path::new("t.toml"), text).unwrap();
    let expected = Budgets {
        host_pages: Some(10),
        host_urls: None,
        domain_pages: Some(20),
        domain_urls: Some(30),
        domain_hosts: Some(40),
        traps: false,
    };
    assert_eq!(told(&ours), expected);
}
