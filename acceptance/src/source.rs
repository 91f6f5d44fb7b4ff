//! Reads Rust source as a row of tokens: enough to find functions, string literals, attributes and constants, and far
//! cheaper than a parser. Comments are left out; what stands under `#[cfg(test)]` or `#[test]` is marked.

/// A piece of source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: Kind,
    /// The line it begins on, counted from 1.
    pub line: usize,
    /// Whether it belongs to test code.
    pub in_test: bool,
}

/// What a token is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A name, a keyword or a number.
    Word(String),
    /// A string literal, as the program sees it.
    Text(String),
    /// A single sign.
    Sign(char),
    /// A character literal or a lifetime.
    Other,
}

impl Token {
    /// Whether it is the sign `sign`.
    pub fn is(&self, sign: char) -> bool {
        self.kind == Kind::Sign(sign)
    }

    /// Whether it is the word `word`.
    pub fn is_word(&self, word: &str) -> bool {
        matches!(&self.kind, Kind::Word(own) if own == word)
    }

    /// The string literal, if it is one.
    pub fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// A function with a body.
#[derive(Debug, PartialEq, Eq)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// The line of `fn`, counted from 1.
    pub line: usize,
    /// Lines from `fn` to the closing brace, both counted.
    pub lines: usize,
    /// Whether it belongs to test code.
    pub in_test: bool,
}

/// A `const NAME: &str = "…";`
#[derive(Debug, PartialEq, Eq)]
pub struct TextConstant {
    /// Its name.
    pub name: String,
    /// Its text.
    pub text: String,
    /// The line of `const`, counted from 1.
    pub line: usize,
    /// Whether it belongs to test code.
    pub in_test: bool,
    /// The place of the literal in the row of tokens.
    pub at: usize,
}

/// The tokens of `source`.
pub fn tokens(source: &str) -> Vec<Token> {
    let mut reader = Reader { rest: source, line: 1, tokens: Vec::new() };
    while reader.step() {}
    let mut tokens = reader.tokens;
    mark_tests(&mut tokens);
    tokens
}

/// The functions with a body among `tokens`.
pub fn functions(tokens: &[Token]) -> Vec<Function> {
    let mut found = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let (true, Some(Kind::Word(name))) = (token.is_word("fn"), tokens.get(at + 1).map(|next| &next.kind))
        else {
            continue;
        };
        if let Some(end) = end_of_item(tokens, at).filter(|end| tokens[*end].is('}')) {
            let lines = tokens[end].line - token.line + 1;
            found.push(Function { name: name.clone(), line: token.line, lines, in_test: token.in_test });
        }
    }
    found
}

/// The constants of text among `tokens`.
pub fn text_constants(tokens: &[Token]) -> Vec<TextConstant> {
    let mut found = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        if !token.is_word("const") {
            continue;
        }
        let Some(Kind::Word(name)) = tokens.get(at + 1).map(|next| &next.kind) else { continue };
        let head: Vec<&Token> =
            tokens[at + 2..].iter().filter(|token| token.kind != Kind::Other).take(5).collect();
        if let [colon, ampersand, kind, equals, literal] = head.as_slice()
            && colon.is(':')
            && ampersand.is('&')
            && kind.is_word("str")
            && equals.is('=')
            && let Some(text) = literal.text()
        {
            let place = tokens[at..].iter().position(|token| std::ptr::eq(token, *literal)).unwrap_or(0);
            found.push(TextConstant {
                name: name.clone(),
                text: text.to_owned(),
                line: token.line,
                in_test: token.in_test,
                at: at + place,
            });
        }
    }
    found
}

/// The place of the `}` or `;` that ends the item at `start`.
fn end_of_item(tokens: &[Token], start: usize) -> Option<usize> {
    let mut depth = 0_usize;
    let mut braces = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(start) {
        match token.kind {
            Kind::Sign('(' | '[') => depth += 1,
            Kind::Sign(')' | ']') => depth = depth.saturating_sub(1),
            Kind::Sign('{') => braces += 1,
            Kind::Sign('}') => {
                braces = braces.checked_sub(1)?;
                if braces == 0 && depth == 0 {
                    return Some(at);
                }
            }
            Kind::Sign(';') if braces == 0 && depth == 0 => return Some(at),
            _ => {}
        }
    }
    None
}

/// Marks the items that stand under `#[cfg(test)]` or `#[test]`.
fn mark_tests(tokens: &mut [Token]) {
    let mut at = 0;
    while at + 1 < tokens.len() {
        let Some(end_of_attribute) = attribute_end(tokens, at) else {
            at += 1;
            continue;
        };
        let attribute = &tokens[at..=end_of_attribute];
        let names = |word: &str| attribute.iter().any(|token| token.is_word(word));
        if !names("test") || names("not") || !(names("cfg") || attribute.len() <= 4) {
            at = end_of_attribute + 1;
            continue;
        }
        let mut item = end_of_attribute + 1;
        while let Some(end) = attribute_end(tokens, item) {
            item = end + 1;
        }
        let end = end_of_item(tokens, item).unwrap_or(tokens.len() - 1);
        for token in &mut tokens[at..=end] {
            token.in_test = true;
        }
        at = end + 1;
    }
}

/// The place of the `]` of the attribute that begins at `at`, if one does.
fn attribute_end(tokens: &[Token], at: usize) -> Option<usize> {
    if !tokens.get(at)?.is('#') || !tokens.get(at + 1)?.is('[') {
        return None;
    }
    let mut depth = 0_usize;
    for (place, token) in tokens.iter().enumerate().skip(at + 1) {
        if token.is('[') {
            depth += 1;
        } else if token.is(']') {
            depth -= 1;
            if depth == 0 {
                return Some(place);
            }
        }
    }
    None
}

struct Reader<'a> {
    rest: &'a str,
    line: usize,
    tokens: Vec<Token>,
}

impl Reader<'_> {
    /// Reads one token or one gap; false at the end.
    fn step(&mut self) -> bool {
        let Some(first) = self.rest.chars().next() else { return false };
        if first.is_whitespace() {
            self.skip(first.len_utf8());
        } else if self.rest.starts_with("//") {
            self.skip(self.rest.find('\n').unwrap_or(self.rest.len()));
        } else if self.rest.starts_with("/*") {
            self.skip(end_of_block_comment(self.rest));
        } else if let Some((text, length)) = string_literal(self.rest) {
            self.push(Kind::Text(text), length);
        } else if first == '\'' {
            self.push(Kind::Other, end_of_quoted(self.rest));
        } else if first.is_alphanumeric() || first == '_' {
            let end = self.rest.find(|next: char| !next.is_alphanumeric() && next != '_');
            let length = end.unwrap_or(self.rest.len());
            self.push(Kind::Word(self.rest[..length].to_owned()), length);
        } else {
            self.push(Kind::Sign(first), first.len_utf8());
        }
        true
    }

    fn push(&mut self, kind: Kind, length: usize) {
        self.tokens.push(Token { kind, line: self.line, in_test: false });
        self.skip(length);
    }

    fn skip(&mut self, length: usize) {
        let (gone, rest) = self.rest.split_at(length.max(1).min(self.rest.len()));
        self.line += gone.bytes().filter(|byte| *byte == b'\n').count();
        self.rest = rest;
    }
}

fn end_of_block_comment(source: &str) -> usize {
    let bytes = source.as_bytes();
    let (mut at, mut depth) = (0, 0_usize);
    while at + 1 < bytes.len() {
        match &bytes[at..at + 2] {
            b"/*" => (depth, at) = (depth + 1, at + 2),
            b"*/" => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    source.len()
}

/// The length of a character literal or of a lifetime.
fn end_of_quoted(source: &str) -> usize {
    let mut characters = source.char_indices().skip(1);
    match characters.next() {
        Some((_, '\\')) => {
            characters.next();
            characters.find(|(_, next)| *next == '\'').map_or(source.len(), |(at, _)| at + 1)
        }
        Some((at, first)) if source[at + first.len_utf8()..].starts_with('\'') => at + first.len_utf8() + 1,
        _ => {
            let end = source[1..].find(|next: char| !next.is_alphanumeric() && next != '_');
            end.map_or(source.len(), |end| end + 1)
        }
    }
}

/// The value and the length of the string literal that `source` begins with, if it does.
fn string_literal(source: &str) -> Option<(String, usize)> {
    let prefix = ["br", "cr", "b", "c", "r", ""].into_iter().find(|prefix| {
        let after = source.strip_prefix(prefix).unwrap_or_default();
        after.starts_with('"') || (prefix.ends_with('r') && after.trim_start_matches('#').starts_with('"'))
    })?;
    let after = &source[prefix.len()..];
    if !prefix.ends_with('r') {
        let (text, length) = escaped_text(&after[1..]);
        return Some((text, prefix.len() + 1 + length));
    }
    let hashes = after.len() - after.trim_start_matches('#').len();
    let body = &after[hashes + 1..];
    let close = format!("\"{}", "#".repeat(hashes));
    let end = body.find(&close).unwrap_or(body.len());
    let length = (prefix.len() + hashes + 1 + end + close.len()).min(source.len());
    Some((body[..end].to_owned(), length))
}

/// Reads up to the closing quotation mark; the value, and the length with that mark.
fn escaped_text(body: &str) -> (String, usize) {
    let mut text = String::new();
    let mut characters = body.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return (text, at + 1),
            '\\' => match characters.next().map(|(_, escaped)| escaped) {
                Some('n') => text.push('\n'),
                Some('t') => text.push('\t'),
                Some('r') => text.push('\r'),
                Some('0') => text.push('\0'),
                Some('x') => {
                    let code: String = characters.by_ref().take(2).map(|(_, digit)| digit).collect();
                    text.extend(u8::from_str_radix(&code, 16).ok().map(char::from));
                }
                Some('u') => {
                    let code = characters.by_ref().map(|(_, digit)| digit).take_while(|digit| *digit != '}');
                    let code: String = code.filter(|digit| !"{_".contains(*digit)).collect();
                    text.extend(u32::from_str_radix(&code, 16).ok().and_then(char::from_u32));
                }
                Some('\n') => while characters.next_if(|(_, next)| next.is_whitespace()).is_some() {},
                Some(other) => text.push(other),
                None => {}
            },
            other => text.push(other),
        }
    }
    (text, body.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = r###"
        //! "not a literal"
        /* nor /* "this" */ one */
        const FIND: &str = "select name
            from person";
        pub(crate) const RAW: &'static str = r#"say "yes""#;
        const COUNT: usize = 3;
        fn long<'a>(letter: char) -> &'a str {
            let quote = '"';
            if letter == '\'' { "a\u{4e2d}\n\
                b" } else { "c" }
        }
        trait Quiet { fn no_body(&self) -> [u8; 2]; }
        #[cfg(test)]
        mod tests {
            #[test]
            fn inside() {}
        }
        fn after() {}
    "###;

    #[test]
    fn literals_constants_and_functions_are_found() {
        let tokens = tokens(SAMPLE);
        let texts: Vec<&str> = tokens.iter().filter_map(Token::text).collect();
        assert_eq!(texts, ["select name\n            from person", "say \"yes\"", "a中\nb", "c"]);
        let constants = text_constants(&tokens);
        let names: Vec<(&str, usize)> = constants.iter().map(|found| (&*found.name, found.line)).collect();
        assert_eq!(names, [("FIND", 4), ("RAW", 6)]);
        assert_eq!(tokens[constants[1].at].text(), Some("say \"yes\""));
        let functions = functions(&tokens);
        let shape: Vec<(&str, usize, bool)> =
            functions.iter().map(|found| (&*found.name, found.lines, found.in_test)).collect();
        assert_eq!(shape, [("long", 5, false), ("inside", 1, true), ("after", 1, false)]);
    }

    #[test]
    fn a_cfg_of_not_test_is_no_test() {
        let found = tokens("#[cfg(not(test))] fn a() {} #[test] #[ignore] fn b() {} #[derive(X)] struct C;");
        let in_test = |word: &str| found.iter().find(|token| token.is_word(word)).map(|token| token.in_test);
        assert_eq!((in_test("a"), in_test("b"), in_test("C")), (Some(false), Some(true), Some(false)));
    }
}
