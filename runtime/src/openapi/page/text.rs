//! Texts of the document as HTML: escaped, with code between backticks, lists and paragraphs.

use html_escape::encode_text;

/// A text on one line.
pub(super) fn inline(text: &str) -> String {
    let part = |(index, part): (usize, &str)| {
        let part = encode_text(part);
        // Every second part is between two backticks.
        if index % 2 == 1 {
            format!("<code>{part}</code>")
        } else {
            part.into_owned()
        }
    };
    text.split('`').enumerate().map(part).collect()
}

/// A text of paragraphs, which may be lists.
pub(super) fn blocks(text: &str) -> String {
    let paragraphs = text.split("\n\n").map(str::trim);
    let block = |text: &str| {
        let items: Option<Vec<&str>> = text.lines().map(|line| line.strip_prefix("- ")).collect();
        match items {
            Some(items) if items.len() > 1 => {
                let items = items
                    .iter()
                    .map(|item| format!("<li>{}</li>", inline(item)));
                format!("<ul>{}</ul>", items.collect::<String>())
            }
            Some(items) => format!("<p>{}</p>", inline(&items.concat())),
            None => format!("<p>{}</p>", inline(text)),
        }
    };
    paragraphs
        .filter(|text| !text.is_empty())
        .map(block)
        .collect()
}
