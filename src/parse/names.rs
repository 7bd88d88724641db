//! Element names as numbers, and the few sets of them the standard's parsing rules speak of.

/// An element name in lower case, packed; names of more than 16 bytes are all [`Name::OTHER`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Name(u128);

/// One constant a name, for `matches!`.
macro_rules! names {
    ($($constant:ident = $text:literal),* $(,)?) => {
        impl Name {
            $(pub(super) const $constant: Self = Self::of($text.as_bytes());)*
        }
    };
}

names! {
    A = "a", ADDRESS = "address", APPLET = "applet", AREA = "area", ANNOTATION_XML = "annotation-xml", ARTICLE = "article", ASIDE = "aside", B = "b", BASE = "base",
    BIG = "big", BLOCKQUOTE = "blockquote", BODY = "body", BR = "br", BUTTON = "button", CAPTION = "caption", CENTER = "center", CODE = "code",
    COL = "col", COLGROUP = "colgroup", DD = "dd", DESC = "desc", DETAILS = "details", DIALOG = "dialog", DIR = "dir", DIV = "div",
    DL = "dl", DT = "dt", EM = "em", EMBED = "embed", FIELDSET = "fieldset", FIGCAPTION = "figcaption", FIGURE = "figure",
    FONT = "font", FOOTER = "footer", FOREIGN_OBJECT = "foreignobject", FORM = "form", FRAME = "frame", FRAMESET = "frameset", H1 = "h1",
    H6 = "h6", HEAD = "head", HEADER = "header", HGROUP = "hgroup", HR = "hr", HTML = "html",
    I = "i", IFRAME = "iframe", IMG = "img", INPUT = "input", LEGEND = "legend", LI = "li", LINK = "link", LISTING = "listing",
    MAIN = "main", MARQUEE = "marquee", MATH = "math", MENU = "menu", META = "meta", MGLYPH = "mglyph", MALIGNMARK = "malignmark", MI = "mi",
    MN = "mn", MO = "mo", MS = "ms", MTEXT = "mtext", NAV = "nav", NOBR = "nobr", NOEMBED = "noembed", NOFRAMES = "noframes",
    NOSCRIPT = "noscript", OBJECT = "object", OL = "ol", OPTION = "option", P = "p", PARAM = "param",
    PLAINTEXT = "plaintext", PRE = "pre", RUBY = "ruby", S = "s",
    SCRIPT = "script", SEARCH = "search", SECTION = "section", SELECT = "select", SMALL = "small", SOURCE = "source", SPAN = "span",
    STRIKE = "strike", STRONG = "strong", STYLE = "style", SUB = "sub", SUMMARY = "summary", SUP = "sup", SVG = "svg",
    TABLE = "table", TBODY = "tbody", TD = "td", TEMPLATE = "template", TEXTAREA = "textarea", TFOOT = "tfoot", TH = "th",
    THEAD = "thead", TITLE = "title", TR = "tr", TRACK = "track", TT = "tt", U = "u", UL = "ul", VAR = "var", WBR = "wbr",
    XMP = "xmp",
}

impl Name {
    /// Any name of more than 16 bytes.
    pub(super) const OTHER: Self = Self(0);

    /// Packs a name as it stands in the document.
    pub(super) const fn of(bytes: &[u8]) -> Self {
        if bytes.len() > 16 {
            return Self::OTHER;
        }
        let mut packed = 0;
        let mut at = 0;
        while at < bytes.len() {
            packed = (packed << 8) | bytes[at].to_ascii_lowercase() as u128;
            at += 1;
        }
        Self(packed)
    }

    /// 1 to 6 for `<h1>` to `<h6>`.
    pub(super) const fn heading_level(self) -> Option<u8> {
        if self.0 >= Self::H1.0 && self.0 <= Self::H6.0 { Some((self.0 & 0xff) as u8 - b'0') } else { None }
    }

    /// Elements that break a line of text.
    pub(super) const fn is_block(self) -> bool {
        matches!(
            self,
            Self::ADDRESS
                | Self::ARTICLE
                | Self::ASIDE
                | Self::BLOCKQUOTE
                | Self::BODY
                | Self::BR
                | Self::CAPTION
                | Self::CENTER
                | Self::DD
                | Self::DETAILS
                | Self::DIALOG
                | Self::DIR
                | Self::DIV
                | Self::DL
                | Self::DT
                | Self::FIELDSET
                | Self::FIGCAPTION
                | Self::FIGURE
                | Self::FOOTER
                | Self::FORM
                | Self::HEADER
                | Self::HGROUP
                | Self::HR
                | Self::LEGEND
                | Self::LI
                | Self::LISTING
                | Self::MAIN
                | Self::MENU
                | Self::NAV
                | Self::OL
                | Self::OPTION
                | Self::P
                | Self::PRE
                | Self::SEARCH
                | Self::SECTION
                | Self::SUMMARY
                | Self::TABLE
                | Self::TBODY
                | Self::TFOOT
                | Self::THEAD
                | Self::TR
                | Self::UL
        ) || self.heading_level().is_some()
    }

    /// Elements that have no content and no end tag.
    pub(super) const fn is_void(self) -> bool {
        matches!(
            self,
            Self::AREA
                | Self::BASE
                | Self::BR
                | Self::COL
                | Self::EMBED
                | Self::FRAME
                | Self::HR
                | Self::IMG
                | Self::INPUT
                | Self::LINK
                | Self::META
                | Self::PARAM
                | Self::SOURCE
                | Self::TRACK
                | Self::WBR
        )
    }

    /// Elements that may stand before the body begins.
    pub(super) const fn is_of_head(self) -> bool {
        matches!(
            self,
            Self::BASE
                | Self::HEAD
                | Self::HTML
                | Self::LINK
                | Self::META
                | Self::NOSCRIPT
                | Self::SCRIPT
                | Self::STYLE
                | Self::TEMPLATE
                | Self::TITLE
        )
    }

    /// Elements that a tree parser opens anew after the block they were left open in.
    pub(super) const fn is_formatting(self) -> bool {
        matches!(
            self,
            Self::A
                | Self::B
                | Self::BIG
                | Self::CODE
                | Self::EM
                | Self::FONT
                | Self::I
                | Self::NOBR
                | Self::S
                | Self::SMALL
                | Self::STRIKE
                | Self::STRONG
                | Self::TT
                | Self::U
        )
    }

    /// Elements an end tag does not reach beyond.
    pub(super) const fn is_scope(self) -> bool {
        matches!(
            self,
            Self::APPLET
                | Self::CAPTION
                | Self::DESC
                | Self::FOREIGN_OBJECT
                | Self::HTML
                | Self::MARQUEE
                | Self::MATH
                | Self::OBJECT
                | Self::SVG
                | Self::TABLE
                | Self::TD
                | Self::TEMPLATE
                | Self::TH
        )
    }

    /// Elements the end tag of an inline element does not reach beyond: the special ones of HTML 13.2.4.2, and
    /// a few more.
    pub(super) const fn is_special(self) -> bool {
        self.is_block()
            || self.is_scope()
            || matches!(
                self,
                Self::BUTTON | Self::COLGROUP | Self::FRAMESET | Self::HEAD | Self::NOSCRIPT | Self::SELECT
            )
    }

    /// Start tags that end a drawing or formula they stand in (HTML 13.2.6.5).
    pub(super) const fn breaks_out(self) -> bool {
        matches!(
            self,
            Self::B
                | Self::BIG
                | Self::BLOCKQUOTE
                | Self::BODY
                | Self::BR
                | Self::CENTER
                | Self::CODE
                | Self::DD
                | Self::DIV
                | Self::DL
                | Self::DT
                | Self::EM
                | Self::EMBED
                | Self::HEAD
                | Self::HR
                | Self::I
                | Self::IMG
                | Self::LI
                | Self::LISTING
                | Self::MENU
                | Self::META
                | Self::NOBR
                | Self::OL
                | Self::P
                | Self::PRE
                | Self::RUBY
                | Self::S
                | Self::SMALL
                | Self::SPAN
                | Self::STRONG
                | Self::STRIKE
                | Self::SUB
                | Self::SUP
                | Self::TABLE
                | Self::TT
                | Self::U
                | Self::UL
                | Self::VAR
        ) || self.heading_level().is_some()
    }

    /// HTML elements whose end tag ends a drawing or formula left open inside them.
    pub(super) const fn ends_foreign_content(self) -> bool {
        matches!(self, Self::A | Self::HTML | Self::FONT | Self::TD | Self::TH)
            || self.is_block()
            || (self.breaks_out() && !self.is_void())
    }
}
