//! Texts of the web, whatever they hold, come back as they were.

use super::backends::SqlBackend;
use super::made::{commit, crawl, failed, page, skipped, stored};
use huntsman::crawl::page::Heading;
use huntsman::crawl::report::{Outcome, Report, StoredPage};

/// Texts that broke some store at some time.
fn nasty() -> Vec<String> {
    let mut texts: Vec<String> = [
        "a\0b\0",
        "\0",
        "'; DROP TABLE pages; --",
        "\"double\" 'single' `back` \\ back\\\\slash",
        "\u{fffd}\u{fffd} what is left of a lone surrogate",
        "\u{ffff}\u{fdd0}\u{10ffff} no characters",
        "\u{feff}mark\u{200b}\u{202e}direction\u{1b}[31mred",
        "line\r\nline\u{2028}line\u{85}",
        "e\u{301} is not \u{e9}",
        "\u{1f600}\u{1f468}\u{200d}\u{1f469}",
        "?1 :name @x $y {} %s",
        "",
        "NULL",
        "1e999",
    ]
    .map(str::to_owned)
    .to_vec();
    texts.push("long ".repeat(400_000));
    texts.push("\u{3042}".repeat(100_000));
    texts
}

pub(super) async fn texts_come_back_as_they_were<B: SqlBackend>() {
    let backend = B::new().await;
    let texts = nasty();
    let seeds: Vec<_> = (0..texts.len()).map(|n| format!("http://h/{n:02}")).collect();
    let dead: Vec<_> = (0..texts.len()).map(|n| format!("http://i/{n:02}")).collect();
    let both: Vec<_> = seeds.iter().chain(&dead).map(String::as_str).collect();
    let (_, urls) = crawl(backend.store(), "t", &both).await;
    let mut reports = Vec::new();
    for (n, text) in texts.iter().enumerate() {
        let mut stored_page: StoredPage = page(text);
        stored_page.page.description = Some(text.clone());
        stored_page.page.text = Some(text.clone());
        stored_page.page.headings = vec![Heading { level: 1, text: text.clone() }];
        stored_page.page.extracted = Some(serde_json::json!({ "field": text }));
        stored_page.content_type = Some(text.clone());
        let mut skip = skipped(&format!("x:{text}"), "scheme");
        skip.detail = text.as_str().into();
        let outcome = Outcome::Stored(Box::new(stored_page));
        reports.push(Report { outcome, skipped: vec![skip], ..stored(&urls[n]) });
        let outcome = Outcome::Failed { reason: "connect".into(), detail: text.clone() };
        reports.push(Report { outcome, ..failed(&urls[texts.len() + n]) });
    }
    commit(backend.store(), reports).await;
    let backend = backend.reopened().await;

    let contents = backend.contents().await;
    let texts: Vec<String> = texts.iter().map(|text| B::kept(text).into_owned()).collect();
    let letters = contents.dead_letters.iter().map(|row| row.detail.clone().unwrap());
    assert!(letters.eq(texts.iter().cloned()), "details of dead letters");
    for (row, text) in contents.pages.iter().zip(&texts) {
        let all = [&row.title, &row.description, &row.text, &row.content_type];
        assert!(all.iter().all(|kept| kept.as_ref() == Some(text)), "{text:.40?}");
        let headings: Vec<(u8, String)> = serde_json::from_str(row.headings.as_ref().unwrap()).unwrap();
        assert_eq!(headings, [(1, text.clone())]);
        let skip = contents.skipped.iter().find(|skip| skip.url == format!("x:{text}")).unwrap();
        assert_eq!(skip.detail.as_ref(), (!text.is_empty()).then_some(text));
    }
    let fields = backend.texts("SELECT CAST(extracted AS TEXT) FROM pages ORDER BY url").await;
    for (field, text) in fields.iter().zip(&texts) {
        let field: serde_json::Value = serde_json::from_str(field.as_ref().unwrap()).unwrap();
        assert_eq!(field["field"], serde_json::json!(text));
    }
}
