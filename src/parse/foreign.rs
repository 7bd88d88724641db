//! Which content is HTML and which is a drawing (SVG) or a formula (`MathML`), where other rules hold: there
//! `<title>` and `<style>` are ordinary elements and CDATA sections exist.
//!
//! A tree parser knows this from its stack of open elements. Here only the elements inside of `<svg>` and `<math>`
//! are kept, so that HTML costs nothing.

use super::names::Name;
use super::tags::Attributes;

/// Open elements kept; deeper ones are taken as children of the last.
const MAX_OPEN: usize = 512;

/// The vocabulary of an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Namespace {
    Html,
    Svg,
    Math,
}

#[derive(Debug, Clone, Copy)]
struct Open {
    namespace: Namespace,
    name: Name,
    /// HTML stands inside: `foreignObject`, `desc` and `title` of a drawing, the text elements of a formula.
    integrates_html: bool,
}

/// The open elements from the outermost `<svg>` or `<math>` inwards; empty in HTML.
#[derive(Debug, Clone, Default)]
pub(super) struct Foreign {
    open: Vec<Open>,
}

impl Foreign {
    /// Whether the document is inside a drawing or formula, be it in HTML content there.
    pub(super) fn is_inside(&self) -> bool {
        !self.open.is_empty()
    }

    /// Whether the current element is itself not HTML: what decides on CDATA.
    pub(super) fn is_foreign(&self) -> bool {
        self.open.last().is_some_and(|open| open.namespace != Namespace::Html)
    }

    /// Takes a start tag and tells the namespace of its element.
    pub(super) fn start(&mut self, name: Name, attributes: Attributes<'_>, self_closing: bool) -> Namespace {
        let namespace = self.namespace_for(name, attributes);
        let keeps_open = if namespace == Namespace::Html { !name.is_void() } else { !self_closing };
        if keeps_open && (self.is_inside() || namespace != Namespace::Html) && self.open.len() < MAX_OPEN {
            if namespace == Namespace::Html && name == Name::P {
                self.end_paragraph();
            }
            let integrates_html = match namespace {
                Namespace::Html => true,
                Namespace::Svg => matches!(name, Name::FOREIGN_OBJECT | Name::DESC | Name::TITLE),
                Namespace::Math => is_text_of_formula(name) || is_html_annotation(name, attributes),
            };
            self.open.push(Open { namespace, name, integrates_html });
        }
        namespace
    }

    /// Takes an end tag.
    pub(super) fn end(&mut self, name: Name) {
        if !self.is_inside() {
            return;
        }
        if self.is_foreign() && matches!(name, Name::P | Name::BR) {
            self.leave_foreign();
            return;
        }
        for at in (0..self.open.len()).rev() {
            if self.open[at].name == name {
                self.open.truncate(at);
                return;
            }
        }
        if self.open.iter().all(|open| open.namespace != Namespace::Html) && name.ends_foreign_content() {
            self.open.clear();
        }
    }

    fn namespace_for(&mut self, name: Name, attributes: Attributes<'_>) -> Namespace {
        let Some(last) = self.open.last().copied() else {
            return opened_in_html(name);
        };
        let is_html = last.integrates_html
            && !(last.namespace == Namespace::Math
                && is_text_of_formula(last.name)
                && matches!(name, Name::MGLYPH | Name::MALIGNMARK));
        if is_html {
            return opened_in_html(name);
        }
        if last.namespace == Namespace::Math && last.name == Name::ANNOTATION_XML && name == Name::SVG {
            return Namespace::Svg;
        }
        let breaks_out = name.breaks_out()
            || (name == Name::FONT
                && ["color", "face", "size"]
                    .into_iter()
                    .any(|attribute| attributes.get(attribute).is_some()));
        if breaks_out {
            self.leave_foreign();
            return opened_in_html(name);
        }
        last.namespace
    }

    /// Closes elements up to the next HTML or integrating one.
    fn leave_foreign(&mut self) {
        while self.open.last().is_some_and(|open| !open.integrates_html) {
            self.open.pop();
        }
    }

    /// A paragraph ends the one before it.
    fn end_paragraph(&mut self) {
        if self.open.last().is_some_and(|open| open.namespace == Namespace::Html && open.name == Name::P) {
            self.open.pop();
        }
    }
}

fn opened_in_html(name: Name) -> Namespace {
    match name {
        Name::SVG => Namespace::Svg,
        Name::MATH => Namespace::Math,
        _ => Namespace::Html,
    }
}

fn is_text_of_formula(name: Name) -> bool {
    matches!(name, Name::MI | Name::MO | Name::MN | Name::MS | Name::MTEXT)
}

fn is_html_annotation(name: Name, attributes: Attributes<'_>) -> bool {
    name == Name::ANNOTATION_XML
        && attributes.get("encoding").is_some_and(|encoding| {
            encoding.eq_ignore_ascii_case("text/html")
                || encoding.eq_ignore_ascii_case("application/xhtml+xml")
        })
}
