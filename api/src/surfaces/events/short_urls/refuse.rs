//! The errors of link management in the words and codes of the events API.

use crate::surfaces::events::errors;
use runtime::http::ApiError;

/// Members that have another name in links than here.
const NAMES: [(&str, &str); 2] = [
    ("destinationUrl ", "url "),
    ("previewImageUrl ", "customMetadataImageUrl "),
];

/// The error for members of a body. A bad code has a code of its own in the contract, `VE001`.
pub(super) fn of_members(error: ApiError) -> ApiError {
    let error = ApiError {
        details: error.details.into_iter().map(named).collect(),
        ..error
    };
    let is_of_code = |problem: &String| problem.starts_with("shortCode ");
    if error.indexes.is_none() && error.details.iter().all(is_of_code) {
        return error;
    }
    errors::body_invalid(error)
}

/// An error of link management.
pub(super) fn of_links(error: ApiError) -> ApiError {
    match error.code {
        "error.validation" => of_members(error),
        "links.short_code_exists" => errors::code_taken(),
        "links.host_lost" => {
            let rule = "shortCode belongs to a host that the workspace has lost";
            ApiError::validation(vec![rule.to_owned()])
        }
        "plan.limit_exceeded" => {
            let max = error.vars.as_ref().and_then(|vars| vars["max"].as_u64());
            errors::quota_exceeded(max.and_then(|max| max.try_into().ok()).unwrap_or_default())
        }
        _ => error,
    }
}

/// A problem with the name that its member has here.
pub(super) fn named(problem: String) -> String {
    for (ours, theirs) in NAMES {
        if let Some(rest) = problem.strip_prefix(ours) {
            return format!("{theirs}{rest}");
        }
    }
    problem
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refusals;

    #[test]
    fn errors_of_links_have_the_codes_and_names_of_this_surface() {
        let rules = |rules: &[&str]| {
            let rules = rules.iter().map(|rule| (*rule).to_owned()).collect();
            of_links(ApiError::validation(rules))
        };
        let code = rules(&["shortCode is reserved: choose another one"]);
        assert_eq!(code.code, "error.validation");
        let both = rules(&["destinationUrl must x", "shortCode is reserved"]);
        assert_eq!(both.code, "events.body_invalid");
        assert_eq!(both.details, ["url must x", "shortCode is reserved"]);
        let quota = of_links(refusals::limit_exceeded(25));
        assert_eq!(quota.status.as_u16(), 402);
        assert_eq!(quota.vars.unwrap()["limit"], 25);
        assert_eq!(of_links(refusals::short_code_exists()).status, 400);
        assert_eq!(of_links(refusals::host_lost()).code, "error.validation");
        assert_eq!(of_links(refusals::short_link_not_found()).status, 404);
    }
}
