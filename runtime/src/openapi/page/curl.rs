//! A `curl` command for an operation, ready to paste into a shell.

use crate::openapi::{example, operation::FORM};
use serde_json::Value;

/// The command, over several lines.
pub(super) fn command(
    document: &Value,
    (path, method): (&str, &str),
    operation: &Value,
    base: &str,
) -> String {
    let mut address = format!("{base}{path}");
    let mut query = Vec::new();
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        let parameter = example::resolve(document, parameter);
        let name = parameter["name"].as_str().unwrap_or_default();
        let value = plain(&example::of(document, &parameter["schema"]));
        match parameter["in"].as_str() {
            Some("path") => address = address.replace(&format!("{{{name}}}"), &value),
            Some("query") if parameter["required"] == true => query.push(format!("{name}={value}")),
            _ => {}
        }
    }
    let query = if query.is_empty() {
        String::new()
    } else {
        format!("?{}", query.join("&"))
    };
    let method = match method {
        "get" => String::new(),
        method => format!("-X {} ", method.to_ascii_uppercase()),
    };
    let mut lines = vec![format!("curl {method}'{address}{query}'")];
    if operation["security"]
        .as_array()
        .is_some_and(|ways| !ways.is_empty())
    {
        lines.push("-H \"Authorization: Bearer $TOKEN\"".to_owned());
    }
    let content = &operation["requestBody"]["content"];
    let form = &content[FORM]["schema"];
    if !form.is_null() {
        // The type that curl sends by itself.
        let body = example::form(document, form);
        lines.push(format!("-d '{}'", body.replace('\'', "'\\''")));
    }
    let schema = &content["application/json"]["schema"];
    if !schema.is_null() {
        let body = example::of(document, schema).to_string();
        lines.push("-H 'Content-Type: application/json'".to_owned());
        lines.push(format!("-d '{}'", body.replace('\'', "'\\''")));
    }
    lines.join(" \\\n  ")
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
