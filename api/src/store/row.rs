//! Reads rows of the main database into structs.

/// Declares a struct that is read from a row, each field from the column of the same name.
///
/// The derive macro of `sqlx` does the same, but makes cargo build the PostgreSQL client a second
/// time.
macro_rules! row {
    (
        $(#[$attribute:meta])*
        $visibility:vis struct $name:ident {
            $($(#[$documentation:meta])* $field_visibility:vis $field:ident: $type:ty,)+
        }
    ) => {
        $(#[$attribute])*
        $visibility struct $name {
            $($(#[$documentation])* $field_visibility $field: $type,)+
        }

        impl sqlx::FromRow<'_, sqlx::postgres::PgRow> for $name {
            fn from_row(row: &sqlx::postgres::PgRow) -> sqlx::Result<Self> {
                Ok(Self {
                    $($field: sqlx::Row::try_get(row, stringify!($field))?,)+
                })
            }
        }
    };
}

pub(super) use row;
