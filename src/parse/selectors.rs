//! The user's own CSS selectors: named values taken from a page.
//!
//! | selector | values |
//! |---|---|
//! | `h1` | the text of each match, with that of the elements inside, white space collapsed |
//! | `h1::text` | each piece of text directly in a match |
//! | `a.next::attr(href)` | that attribute of each match that has it |
//!
//! No value gives `null`, one a string, several an array of strings. A match without text gives no value.

use std::borrow::Cow;

use ego_tree::NodeRef;
use ego_tree::iter::Edge;
use html5ever::driver::{ParseOpts, parse_document};
use html5ever::tendril::TendrilSink;
use html5ever::tree_builder::TreeBuilderOpts;
use scraper::{ElementRef, Html, HtmlTreeSink, Node, Selector};
use serde_json::{Map, Value};

use super::Limits;
use super::collapse::Collapse;

/// Selectors a page may be asked for.
const MAX_SELECTORS: usize = 64;

/// Bytes of one selector.
const MAX_SELECTOR_BYTES: usize = 1_024;

/// Nodes read for values on one page: overlapping matches could read a page many times over.
const MAX_NODES: usize = 2_000_000;

/// A selector that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("selector {name:?} ({css}): {problem}")]
pub struct SelectorError {
    /// The name the user gave it.
    pub name: String,
    /// The selector as written.
    pub css: String,
    /// What is wrong with it.
    pub problem: String,
}

/// Compiled selectors with their names, in order.
#[derive(Debug, Clone, Default)]
pub struct Selectors {
    rules: Vec<Rule>,
    compares_siblings: bool,
}

#[derive(Debug, Clone)]
struct Rule {
    name: String,
    selector: Selector,
    part: Part,
}

/// What of a match is its value.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text,
    OwnText,
    Attribute(String),
}

impl Selectors {
    /// Compiles pairs of name and selector. The first that cannot be used is the error.
    pub fn compile<'a>(rules: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, SelectorError> {
        let mut compiled = Self::default();
        for (name, css) in rules {
            let rule = compiled.rule(name, css).map_err(|problem| SelectorError {
                name: name.to_owned(),
                css: css.to_owned(),
                problem,
            })?;
            compiled.compares_siblings |= css.replace("~=", "").contains('~');
            compiled.rules.push(rule);
        }
        Ok(compiled)
    }

    /// Whether there is no selector.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Whether a selector compares an element with all before it.
    pub(super) fn compares_siblings(&self) -> bool {
        self.compares_siblings
    }

    fn rule(&self, name: &str, css: &str) -> Result<Rule, String> {
        if self.rules.len() >= MAX_SELECTORS {
            return Err(format!("there are more than {MAX_SELECTORS} selectors"));
        }
        if css.len() > MAX_SELECTOR_BYTES {
            return Err(format!("it is longer than {MAX_SELECTOR_BYTES} bytes"));
        }
        if self.rules.iter().any(|rule| rule.name == name) {
            return Err("another selector has this name".to_owned());
        }
        let (plain, part) = split_part(css.trim())?;
        let selector = Selector::parse(plain).map_err(|error| in_words(&error.to_string()))?;
        Ok(Rule { name: name.to_owned(), selector, part })
    }

    /// The values in the document `text` as an object from name to value.
    pub(super) fn extract(&self, text: &str, limits: &Limits) -> Value {
        let tree_builder = TreeBuilderOpts { scripting_enabled: false, ..TreeBuilderOpts::default() };
        let options = ParseOpts { tree_builder, ..ParseOpts::default() };
        // A tree parser makes a token of each NUL, and nothing of the token.
        let text = if text.contains('\0') { Cow::Owned(text.replace('\0', "")) } else { Cow::Borrowed(text) };
        let html = parse_document(HtmlTreeSink::new(Html::new_document()), options).one(&*text);
        let mut reading = Reading {
            values: Vec::new(),
            text: Collapse::default(),
            bytes: limits.value_bytes,
            nodes: MAX_NODES,
        };
        let mut object = Map::new();
        for rule in &self.rules {
            for element in html.select(&rule.selector) {
                if reading.values.len() >= limits.values || reading.nodes == 0 {
                    break;
                }
                reading.read(element, &rule.part);
            }
            let mut values = std::mem::take(&mut reading.values);
            let value = match values.len() {
                0 => Value::Null,
                1 => values.remove(0),
                _ => Value::Array(values),
            };
            object.insert(rule.name.clone(), value);
        }
        Value::Object(object)
    }
}

/// What scraper says of a selector, in one line of plain words: some of it is a name from its own code.
fn in_words(error: &str) -> String {
    let name: &str = error.lines().nth(1).unwrap_or(error);
    let name = name.split(['(', '{']).next().unwrap_or_default().trim();
    let mut words = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() && words.ends_with(|last: char| last.is_ascii_lowercase()) {
            words.push(' ');
        }
        words.push(c.to_ascii_lowercase());
    }
    words
}

/// Splits `::text` or `::attr(name)` from the end of a selector.
fn split_part(css: &str) -> Result<(&str, Part), String> {
    let Some((plain, part)) = css.rsplit_once("::") else { return Ok((css, Part::Text)) };
    if part == "text" {
        return Ok((plain, Part::OwnText));
    }
    let name = part.strip_prefix("attr(").and_then(|rest| rest.strip_suffix(')')).map(str::trim);
    match name {
        Some(name) if !name.is_empty() => Ok((plain, Part::Attribute(name.to_ascii_lowercase()))),
        _ => Err(format!("`::{part}` is neither `::text` nor `::attr(name)`")),
    }
}

/// The values of one selector while they are read, and what may still be read.
struct Reading {
    values: Vec<Value>,
    text: Collapse,
    bytes: usize,
    nodes: usize,
}

impl Reading {
    fn read(&mut self, element: ElementRef<'_>, part: &Part) {
        match part {
            Part::Attribute(name) => {
                if let Some(value) = element.attr(name) {
                    let value = value[..value.floor_char_boundary(self.bytes)].replace('\0', "");
                    self.bytes -= value.len();
                    self.values.push(Value::String(value));
                }
            }
            Part::OwnText => {
                for child in element.children() {
                    self.nodes = self.nodes.saturating_sub(1);
                    if let Node::Text(text) = child.value() {
                        self.text.restart(self.bytes);
                        self.text.push(text);
                        self.keep();
                    }
                }
            }
            Part::Text => {
                self.text.restart(self.bytes);
                self.all_text(*element);
                self.keep();
            }
        }
    }

    /// Collects the text in `root` without that of scripts and style sheets.
    fn all_text(&mut self, root: NodeRef<'_, Node>) {
        let mut hidden = 0_usize;
        for edge in root.traverse() {
            if self.nodes == 0 || self.text.is_cut() {
                return;
            }
            self.nodes -= 1;
            let (node, opens) = match edge {
                Edge::Open(node) => (node, true),
                Edge::Close(node) => (node, false),
            };
            match node.value() {
                Node::Element(element) if matches!(element.name(), "script" | "style") && node != root => {
                    hidden = if opens { hidden + 1 } else { hidden - 1 };
                }
                Node::Text(text) if opens && hidden == 0 => self.text.push(text),
                _ => {}
            }
        }
    }

    fn keep(&mut self) {
        if !self.text.text().is_empty() {
            self.bytes -= self.text.text().len();
            self.values.push(Value::String(self.text.take()));
        }
    }
}
