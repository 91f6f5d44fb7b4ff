//! Reads the HTML that our pages send, strictly: a tag that is not closed, or closed twice, is an error of the page.

/// A page as a tree. An element is named by its place in it.
#[derive(Debug)]
pub struct Document {
    elements: Vec<Element>,
}

/// A page without anything.
impl Default for Document {
    fn default() -> Document {
        let root = Element { tag: "#document".to_owned(), ..Element::default() };
        Document { elements: vec![root] }
    }
}

/// An element and what it holds.
#[derive(Debug, Default)]
struct Element {
    tag: String,
    attributes: Vec<(String, String)>,
    parent: usize,
    children: Vec<Child>,
}

#[derive(Debug)]
enum Child {
    Element(usize),
    Text(String),
}

/// Elements without an end.
const VOID: [&str; 9] = ["area", "br", "col", "hr", "img", "input", "link", "meta", "source"];
/// Elements whose content is no HTML.
const RAW: [&str; 4] = ["script", "style", "textarea", "title"];
/// Elements that begin a new line of text.
const BLOCK: [&str; 22] = [
    "article", "br", "caption", "dd", "div", "dt", "fieldset", "form", "h1", "h2", "h3", "header", "label",
    "legend", "li", "main", "option", "p", "section", "td", "th", "tr",
];

impl Document {
    /// Reads a page.
    ///
    /// # Errors
    /// What is not well-formed, in words.
    pub fn read(html: &str) -> Result<Document, String> {
        let mut reader = Reader { document: Document::default(), open: vec![0], rest: html };
        while !reader.rest.is_empty() {
            reader.step()?;
        }
        match reader.open.as_slice() {
            [0] => Ok(reader.document),
            [.., last] => Err(format!("<{}> is not closed", reader.document.elements[*last].tag)),
            [] => Err("a tag is closed that was never open".to_owned()),
        }
    }

    /// All elements with this tag, in the order of the page.
    pub fn all(&self, tag: &str) -> Vec<usize> {
        self.all_in(0, tag)
    }

    /// All elements with this tag inside `element`.
    pub fn all_in(&self, element: usize, tag: &str) -> Vec<usize> {
        let mut found = Vec::new();
        for child in &self.elements[element].children {
            if let Child::Element(child) = *child {
                if self.elements[child].tag == tag {
                    found.push(child);
                }
                found.extend(self.all_in(child, tag));
            }
        }
        found
    }

    /// Every element.
    pub fn every(&self) -> impl Iterator<Item = usize> {
        1..self.elements.len()
    }

    /// The tag's name.
    pub fn tag(&self, element: usize) -> &str {
        &self.elements[element].tag
    }

    /// The attributes, in order.
    pub fn attributes(&self, element: usize) -> &[(String, String)] {
        &self.elements[element].attributes
    }

    /// The value of an attribute; empty text for one without a value.
    pub fn attribute(&self, element: usize, name: &str) -> Option<&str> {
        let mut attributes = self.elements[element].attributes.iter();
        attributes.find(|(own, _)| own == name).map(|(_, value)| &**value)
    }

    /// The nearest element around `element` with this tag.
    pub fn around(&self, element: usize, tag: &str) -> Option<usize> {
        let mut at = element;
        while at != 0 {
            at = self.elements[at].parent;
            if self.elements[at].tag == tag {
                return Some(at);
            }
        }
        None
    }

    /// The element with this id.
    pub fn by_id(&self, id: &str) -> Option<usize> {
        self.every().find(|element| self.attribute(*element, "id") == Some(id))
    }

    /// The text of an element, white space squeezed, with a space between its blocks.
    pub fn text(&self, element: usize) -> String {
        let mut text = String::new();
        self.write_text(element, &mut text);
        squeeze(&text)
    }

    /// The text of an element as it stands, for a `<textarea>`.
    pub fn raw_text(&self, element: usize) -> String {
        let mut text = String::new();
        self.write_text(element, &mut text);
        text
    }

    /// The text of the page's body.
    pub fn shown(&self) -> String {
        self.all("body").first().map(|body| self.text(*body)).unwrap_or_default()
    }

    fn write_text(&self, element: usize, text: &mut String) {
        for child in &self.elements[element].children {
            match child {
                Child::Text(own) => text.push_str(own),
                Child::Element(child) => {
                    let tag = self.tag(*child);
                    if matches!(tag, "script" | "style" | "template")
                        || self.attribute(*child, "hidden").is_some()
                    {
                        continue;
                    }
                    if BLOCK.contains(&tag) {
                        text.push(' ');
                    }
                    self.write_text(*child, text);
                    if BLOCK.contains(&tag) {
                        text.push(' ');
                    }
                }
            }
        }
    }
}

/// White space squeezed to single spaces.
pub fn squeeze(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

struct Reader<'a> {
    document: Document,
    /// The open elements, from the root inwards.
    open: Vec<usize>,
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn step(&mut self) -> Result<(), String> {
        if let Some(comment) = self.rest.strip_prefix("<!--") {
            self.rest = comment.split_once("-->").ok_or("a comment is not closed")?.1;
        } else if self.rest.starts_with("<!") {
            self.rest = self.rest.split_once('>').ok_or("<! is not closed")?.1;
        } else if let Some(tag) = self.rest.strip_prefix("</") {
            let (name, rest) = tag.split_once('>').ok_or("</ is not closed")?;
            self.rest = rest;
            self.close(&name.trim().to_lowercase())?;
        } else if self.rest.starts_with('<') {
            self.open_tag()?;
        } else {
            let end = self.rest.find('<').unwrap_or(self.rest.len());
            let (text, rest) = self.rest.split_at(end);
            self.rest = rest;
            self.add(Child::Text(unescape(text)));
        }
        Ok(())
    }

    fn current(&self) -> usize {
        self.open.last().copied().unwrap_or(0)
    }

    fn add(&mut self, child: Child) {
        let current = self.current();
        self.document.elements[current].children.push(child);
    }

    fn close(&mut self, name: &str) -> Result<(), String> {
        let open = self.document.elements[self.current()].tag.clone();
        if open != name {
            return Err(format!("</{name}> stands where <{open}> is open"));
        }
        self.open.pop();
        Ok(())
    }

    fn open_tag(&mut self) -> Result<(), String> {
        let inside = &self.rest[1..];
        let end = inside.find(|next: char| next.is_whitespace() || next == '>' || next == '/');
        let (name, mut inside) = inside.split_at(end.ok_or("a tag is not closed")?);
        let mut element = Element { tag: name.to_lowercase(), parent: self.current(), ..Element::default() };
        let closed_itself = loop {
            inside = inside.trim_start();
            if let Some(rest) = inside.strip_prefix("/>") {
                self.rest = rest;
                break true;
            }
            if let Some(rest) = inside.strip_prefix('>') {
                self.rest = rest;
                break false;
            }
            let (attribute, rest) = attribute(inside).ok_or_else(|| format!("<{name}> is not closed"))?;
            if element.attributes.iter().any(|(own, _)| *own == attribute.0) {
                return Err(format!("<{name}> has {} twice", attribute.0));
            }
            element.attributes.push(attribute);
            inside = rest;
        };
        let tag = element.tag.clone();
        let place = self.document.elements.len();
        self.document.elements.push(element);
        self.add(Child::Element(place));
        if closed_itself || VOID.contains(&&*tag) {
            return Ok(());
        }
        self.open.push(place);
        if RAW.contains(&&*tag) {
            let end = format!("</{tag}");
            let (text, rest) = self.rest.split_at(self.rest.find(&end).ok_or("raw text is not closed")?);
            let text = text.strip_prefix('\n').filter(|_| tag == "textarea").unwrap_or(text);
            let text = if matches!(&*tag, "script" | "style") { text.to_owned() } else { unescape(text) };
            self.rest = rest;
            self.add(Child::Text(text));
        }
        Ok(())
    }
}

/// The attribute that `inside` begins with, and what follows it.
fn attribute(inside: &str) -> Option<((String, String), &str)> {
    let end = inside.find(|next: char| next.is_whitespace() || "=>/".contains(next))?;
    let (name, rest) = inside.split_at(end.max(1));
    let Some(value) = rest.strip_prefix('=') else {
        return Some(((name.to_lowercase(), String::new()), rest));
    };
    let (value, rest) = match value.chars().next()? {
        quote @ ('"' | '\'') => value[1..].split_once(quote)?,
        _ => value.split_at(value.find(|next: char| next.is_whitespace() || next == '>')?),
    };
    Some(((name.to_lowercase(), unescape(value)), rest))
}

fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        plain.push_str(before);
        let named = after.split_once(';').filter(|(name, _)| name.len() <= 8);
        let sign = named.and_then(|(name, _)| sign_called(name));
        match (sign, named) {
            (Some(sign), Some((_, behind))) => {
                plain.push(sign);
                rest = behind;
            }
            _ => {
                plain.push('&');
                rest = after;
            }
        }
    }
    plain.push_str(rest);
    plain
}

fn sign_called(name: &str) -> Option<char> {
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => '\u{a0}',
        "middot" => '·',
        "hellip" => '…',
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)?
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_read() {
        let html = "<!doctype html><html><head><title>A &amp; B</title></head><body><!-- x --><p class='a b' hidden>no</p>\
            <form id=f><input name=\"n\" value=\"&#39;1&#x4e2d;\"><textarea>\n <b> </textarea></form><ul><li>one<li-x>two</li-x></li></ul><br></body></html>";
        let page = Document::read(html).unwrap();
        let input = page.all("input")[0];
        assert_eq!(page.attribute(input, "value"), Some("'1中"));
        assert_eq!(page.attribute(page.around(input, "form").unwrap(), "id"), Some("f"));
        assert_eq!(page.raw_text(page.all("textarea")[0]), " <b> ");
        assert_eq!(page.shown(), "<b> onetwo");
        assert_eq!(page.text(page.all("title")[0]), "A & B");
        assert_eq!(page.by_id("f"), page.all("form").first().copied());
    }

    #[test]
    fn a_page_that_is_not_well_formed_is_refused() {
        for html in ["<p>", "</p>", "<p><b></p></b>", "<p a=1 a=2></p>", "<p", "<!-- ", "<script>a"] {
            assert!(Document::read(html).is_err(), "{html}");
        }
    }
}
