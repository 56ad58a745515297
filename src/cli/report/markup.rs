//! Elements of HTML and XML: closed and escaped by the way in which they are made. An HTML page of them is well-formed XML
//! too, so that a strict parser can check it.

use kmk_kafka::printable;

/// An element with all that is in it.
pub(super) struct Element {
    name: &'static str,
    attributes: Vec<(&'static str, String)>,
    children: Vec<Node>,
}

enum Node {
    Element(Element),
    Text(String),
}

/// How elements with nothing in them are written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Dialect {
    /// With an end tag, unless HTML knows none.
    Html,
    Xml,
}

pub(super) fn element(name: &'static str) -> Element {
    Element {
        name,
        attributes: Vec::new(),
        children: Vec::new(),
    }
}

impl Element {
    /// With an attribute.
    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.attributes.push((name, value.into()));
        self
    }

    pub(super) fn class(self, name: &'static str) -> Self {
        self.with("class", name)
    }

    pub(super) fn text(mut self, text: impl Into<String>) -> Self {
        self.children.push(Node::Text(text.into()));
        self
    }

    pub(super) fn child(mut self, child: Self) -> Self {
        self.children.push(Node::Element(child));
        self
    }

    pub(super) fn children(mut self, children: impl IntoIterator<Item = Self>) -> Self {
        self.children
            .extend(children.into_iter().map(Node::Element));
        self
    }

    pub(super) fn html(&self) -> String {
        let mut out = String::new();
        self.write(Dialect::Html, 0, &mut out);
        format!("<!DOCTYPE html>\n{out}")
    }

    pub(super) fn xml(&self) -> String {
        let mut out = String::new();
        self.write(Dialect::Xml, 0, &mut out);
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{out}")
    }

    fn write(&self, dialect: Dialect, depth: usize, out: &mut String) {
        out.push('<');
        out.push_str(self.name);
        for (name, value) in &self.attributes {
            out.extend([" ", name, "=\""]);
            escape(value, out);
            out.push('"');
        }
        if self.children.is_empty() && (dialect == Dialect::Xml || self.name == "meta") {
            out.push_str(" />");
            return;
        }
        out.push('>');
        // blanks beside text would be seen
        let is_block = self.name != "pre"
            && (self.children.iter()).all(|child| matches!(child, Node::Element(_)));
        let line = |depth: usize, out: &mut String| {
            out.push('\n');
            out.extend(std::iter::repeat_n("  ", depth));
        };
        for child in &self.children {
            match child {
                Node::Element(element) => {
                    if is_block {
                        line(depth + 1, out);
                    }
                    element.write(dialect, depth + 1, out);
                }
                Node::Text(text) => escape(text, out),
            }
        }
        if is_block && !self.children.is_empty() {
            line(depth, out);
        }
        out.extend(["</", self.name, ">"]);
    }
}

/// As text or within quotes. What cannot be seen, and what XML does not allow, is written out.
fn escape(text: &str, out: &mut String) {
    for c in printable::text(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use roxmltree::Document;

    fn document(dialect: fn(&Element) -> String, text: &str) -> String {
        let inner = element("b").with("title", text).text(text);
        dialect(&element("a").child(inner).child(element("i")))
    }

    #[test]
    fn nothing_that_is_said_is_taken_for_markup() {
        let text = "</b><script>\"x\" & 'y'\u{1b}\u{ffff}\u{0}";
        assert_eq!(
            document(Element::xml, text),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<a>\n  \
             <b title=\"&lt;/b&gt;&lt;script&gt;&quot;x&quot; &amp; 'y'\\u001b\\uffff\\u0000\">\
             &lt;/b&gt;&lt;script&gt;&quot;x&quot; &amp; 'y'\\u001b\\uffff\\u0000</b>\n  <i />\n</a>"
        );
        assert!(document(Element::html, "").ends_with("<b title=\"\"></b>\n  <i></i>\n</a>"));
    }

    proptest! {
        #[test]
        fn any_text_comes_back_as_it_is_shown(text in any::<String>()) {
            for dialect in [Element::xml, Element::html] {
                let document = document(dialect, &text);
                let options = roxmltree::ParsingOptions { allow_dtd: true, ..Default::default() };
                let parsed = Document::parse_with_options(&document, options).unwrap();
                let b = parsed.descendants().find(|node| node.has_tag_name("b")).unwrap();
                let shown = printable::text(&text);
                prop_assert_eq!(b.text().unwrap_or_default(), &shown);
                // a line break in an attribute is a blank to XML
                prop_assert_eq!(b.attribute("title").unwrap(), shown.replace('\n', " "));
            }
        }
    }
}
