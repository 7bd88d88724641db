//! Whether a page may be given to a tree parser.
//!
//! `html5ever` takes time quadratic in nesting and in the attributes of a tag (500 KB of `<div>` takes 40 seconds), and a
//! few hundred unclosed `<b>` are opened anew in every paragraph that follows. The tokens tell beforehand how deep its
//! stack will get. Where the rules are intricate the count errs upwards, so that at worst a strange page is skipped.

use super::Limits;
use super::foreign::Namespace;
use super::names::Name;
use super::tokens::{Start, Token, Tokens};
use crate::crawl::page::SelectorsSkipped;

/// What opening a formatting element anew costs, in units of [`Limits::tree_work`]: it makes a node.
const REOPENING: usize = 16;

/// What a tree parser's work on a page depends on.
#[derive(Debug, Default)]
struct Stack {
    open: Vec<Open>,
    work: usize,
    widest: usize,
}

#[derive(Debug, Clone, Copy)]
struct Open {
    name: Name,
    children: usize,
}

/// Tells why `text` must not be given to the tree parser, or to selectors that compare siblings if
/// `compares_siblings`.
pub(super) fn check(text: &str, compares_siblings: bool, limits: &Limits) -> Result<(), SelectorsSkipped> {
    if text.len() > limits.tree_bytes {
        return Err(SelectorsSkipped::TooLarge);
    }
    let mut stack = Stack::default();
    for token in Tokens::new(text, limits.attributes, false) {
        stack.work += stack.open.len();
        match token {
            Token::Start(tag) if tag.attributes_total > limits.attributes => {
                return Err(SelectorsSkipped::TooManyAttributes);
            }
            Token::Start(tag) => stack.start(&tag),
            Token::End(name) => stack.end(name),
            Token::Text(_) | Token::Literal(_) | Token::Raw(_) => {}
        }
        if stack.open.len() > limits.tree_depth {
            return Err(SelectorsSkipped::TooDeep);
        }
        if stack.work > limits.tree_work || (compares_siblings && stack.widest > limits.tree_siblings) {
            return Err(SelectorsSkipped::TooMuchWork);
        }
    }
    Ok(())
}

impl Stack {
    fn start(&mut self, tag: &Start<'_>) {
        let name = tag.name;
        let is_html = tag.namespace == Namespace::Html;
        if is_html {
            self.end_unsaid(name);
        }
        if let Some(parent) = self.open.last_mut() {
            parent.children += 1;
            self.widest = self.widest.max(parent.children);
        }
        let keeps_open = if is_html { !name.is_void() } else { !tag.self_closing };
        if keeps_open {
            self.open.push(Open { name, children: 0 });
        }
    }

    /// Ends the elements that the start of `name` ends.
    fn end_unsaid(&mut self, name: Name) {
        match name {
            Name::LI => self.close(|open| open == Name::LI, stops_item),
            Name::DD | Name::DT => self.close(|open| matches!(open, Name::DD | Name::DT), stops_item),
            Name::OPTION if self.open.last().is_some_and(|open| open.name == Name::OPTION) => {
                self.open.pop();
            }
            Name::TD | Name::TH => self.close(|open| matches!(open, Name::TD | Name::TH), is_table),
            Name::TR => {
                for _ in 0..2 {
                    self.close(|open| matches!(open, Name::TD | Name::TH | Name::TR), is_table);
                }
            }
            Name::TBODY | Name::THEAD | Name::TFOOT => {
                for _ in 0..3 {
                    self.close(is_table_part, is_table);
                }
            }
            _ => {}
        }
        // Not so a table: in quirks mode it stands in the paragraph.
        if name.is_block()
            && !matches!(name, Name::TABLE | Name::BR | Name::OPTION | Name::LEGEND | Name::BODY)
        {
            self.close(|open| open == Name::P, |open| open.is_scope() || open == Name::BUTTON);
        }
    }

    fn end(&mut self, name: Name) {
        if name.is_formatting() {
            let found = self.open.iter().rposition(|open| open.name == name || open.name.is_scope());
            if let Some(at) = found.filter(|at| self.open[*at].name == name) {
                self.open.remove(at);
            }
        } else if name.heading_level().is_some() {
            self.close(|open| open.heading_level().is_some(), Name::is_scope);
        } else if matches!(name, Name::TABLE | Name::TEMPLATE | Name::HTML | Name::BODY) {
            self.close(|open| open == name, |open| open == Name::TEMPLATE);
        } else if name.is_scope() || is_table_part(name) {
            self.close(|open| open == name, is_table);
        } else if name.is_special() {
            self.close(|open| open == name, Name::is_scope);
        } else {
            self.close(|open| open == name, Name::is_special);
        }
    }

    /// Closes the innermost element that `is_it`, with all inside of it, unless one that `stops` is met before.
    /// Formatting elements in there will be opened anew.
    fn close(&mut self, is_it: impl Fn(Name) -> bool, stops: impl Fn(Name) -> bool) {
        let Some(at) = self.open.iter().rposition(|open| is_it(open.name) || stops(open.name)) else {
            return;
        };
        if !is_it(self.open[at].name) {
            return;
        }
        let mut end = at;
        for inside in at + 1..self.open.len() {
            if self.open[inside].name.is_formatting() {
                self.open[end] = self.open[inside];
                end += 1;
            }
        }
        self.work += (end - at) * REOPENING;
        self.open.truncate(end);
    }
}

fn stops_item(open: Name) -> bool {
    open.is_special() && !matches!(open, Name::ADDRESS | Name::DIV | Name::P)
}

fn is_table(open: Name) -> bool {
    matches!(open, Name::TABLE | Name::TEMPLATE)
}

fn is_table_part(open: Name) -> bool {
    matches!(open, Name::TD | Name::TH | Name::TR | Name::TBODY | Name::THEAD | Name::TFOOT)
}
