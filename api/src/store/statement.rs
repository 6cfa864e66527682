//! Lists the fixed statements of a file.

/// A fixed statement: the path of its constant, and its text.
pub type Statement = (&'static str, &'static str);

/// The list of these constants of the file.
macro_rules! statements {
    [$($statement:expr),+ $(,)?] => {
        &[$((concat!(module_path!(), "::", stringify!($statement)), $statement)),+]
    };
}

pub(crate) use statements;
