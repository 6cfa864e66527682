//! Turns a struct into the columns of a table: names, types, binding and reading from one list.
//!
//! Few rows are written as one array per column, many with `COPY`, see `store::append`.

use super::copied::Copied;
use jiff::{Timestamp, civil::Date};
use jiff_sqlx::ToSqlx;
use schemas::{
    CampaignId, ClickId, ConversionId, CustomerId, EventId, LinkId, PageId, PageviewId, QrId,
    RuleId, SessionId, UserHash, VisitorHash, WorkspaceNo,
};
use serde_json::Value;
use sqlx::{
    Decode, Postgres, Row, Type,
    error::BoxDynError,
    postgres::{PgArguments, PgRow},
    query::Query,
};
use uuid::Uuid;

/// A statement with the values bound so far.
pub type Bound<'q> = Query<'q, Postgres, PgArguments>;

/// Name and type of a column.
pub type Named = (&'static str, &'static str);

/// A value that a column can store.
pub trait Column {
    /// The type that a bound value is cast to.
    const TYPE: &'static str;
    /// The value in the form that is bound.
    type Bound<'a>
    where
        Self: 'a;

    /// The value in the form that is bound.
    fn bound(&self) -> Self::Bound<'_>;
}

/// A value that can be read from a column.
pub trait Stored: Sized {
    /// The type that the driver reads.
    type As: for<'r> Decode<'r, Postgres> + Type<Postgres>;

    /// Converts the value, or returns the rule that it breaks.
    ///
    /// # Errors
    /// When the value was not written by a program of ours.
    fn from_stored(stored: Self::As) -> Result<Self, &'static str>;
}

/// A column that can be read, with or without `NULL`.
pub trait ReadColumn: Sized {
    /// Reads the column with this name.
    ///
    /// # Errors
    /// When the row has no such column, or its value breaks a rule.
    fn read(row: &PgRow, column: &str) -> sqlx::Result<Self>;
}

impl<T: Stored> ReadColumn for T {
    fn read(row: &PgRow, column: &str) -> sqlx::Result<Self> {
        T::from_stored(row.try_get(column)?).map_err(|rule| broken(column, rule))
    }
}

impl<T: Stored> ReadColumn for Option<T> {
    fn read(row: &PgRow, column: &str) -> sqlx::Result<Self> {
        let stored: Option<T::As> = row.try_get(column)?;
        let value = stored.map(T::from_stored).transpose();
        value.map_err(|rule| broken(column, rule))
    }
}

fn broken(column: &str, rule: &str) -> sqlx::Error {
    sqlx::Error::Decode(format!("column {column} {rule}").into())
}

/// A struct whose members are columns.
pub trait Columns {
    /// The columns, in the order in which they are bound.
    const COLUMNS: &'static [Named];

    /// Binds one array per column.
    fn bind<'q, 'r>(rows: impl Iterator<Item = &'r Self> + Clone, query: Bound<'q>) -> Bound<'q>
    where
        Self: 'r;

    /// Adds the values to a row for `COPY`.
    ///
    /// # Errors
    /// When a value has no binary form.
    fn copy(&self, rows: &mut Copied) -> Result<(), BoxDynError>;
}

/// A whole row of a table: one or more groups of columns.
pub trait TableRow {
    /// The groups, in the order in which they are bound.
    const GROUPS: &'static [&'static [Named]];

    /// Binds one array per column.
    fn bind_groups<'q, 'r>(
        rows: impl Iterator<Item = &'r Self> + Clone,
        query: Bound<'q>,
    ) -> Bound<'q>
    where
        Self: 'r;

    /// Adds the row for `COPY`.
    ///
    /// # Errors
    /// When a value has no binary form.
    fn copy_groups(&self, rows: &mut Copied) -> Result<(), BoxDynError>;
}

impl<T: Columns> TableRow for T {
    const GROUPS: &'static [&'static [Named]] = &[T::COLUMNS];

    fn bind_groups<'q, 'r>(
        rows: impl Iterator<Item = &'r Self> + Clone,
        query: Bound<'q>,
    ) -> Bound<'q>
    where
        Self: 'r,
    {
        T::bind(rows, query)
    }

    fn copy_groups(&self, rows: &mut Copied) -> Result<(), BoxDynError> {
        rows.begin_row();
        self.copy(rows)
    }
}

/// Declares which members of a struct are the groups of columns of a table's row.
macro_rules! groups {
    ($row:ty { $($($member:ident).+: $columns:ty,)+ }) => {
        impl $crate::rows::columns::TableRow for $row {
            const GROUPS: &'static [&'static [$crate::rows::columns::Named]] =
                &[$(<$columns as $crate::rows::columns::Columns>::COLUMNS),+];

            fn bind_groups<'q, 'r>(
                rows: impl Iterator<Item = &'r Self> + Clone,
                query: $crate::rows::columns::Bound<'q>,
            ) -> $crate::rows::columns::Bound<'q>
            where
                Self: 'r,
            {
                $(
                    let group = rows.clone().map(|row| &row.$($member).+);
                    let query = <$columns as $crate::rows::columns::Columns>::bind(group, query);
                )+
                query
            }

            fn copy_groups(
                &self,
                rows: &mut $crate::rows::copied::Copied,
            ) -> Result<(), sqlx::error::BoxDynError> {
                rows.begin_row();
                $($crate::rows::columns::Columns::copy(&self.$($member).+, rows)?;)+
                Ok(())
            }
        }
    };
}

/// A struct whose members are read from the columns of a row.
pub trait ReadRow: Sized {
    /// Reads a row.
    ///
    /// # Errors
    /// When a column is missing, or a value breaks a rule.
    fn read(row: &PgRow) -> sqlx::Result<Self>;
}

/// Declares a struct whose members are columns. With `readable` in front, its rows can be read too.
macro_rules! columns {
    (readable
        $(#[$about:meta])*
        $name:ident { $($(#[$doc:meta])* $column:ident: $type:ty,)+ }
    ) => {
        columns! { $(#[$about])* $name { $($(#[$doc])* $column: $type,)+ } }

        impl $crate::rows::columns::ReadRow for $name {
            fn read(row: &sqlx::postgres::PgRow) -> sqlx::Result<Self> {
                Ok(Self {
                    $($column: $crate::rows::columns::ReadColumn::read(row, stringify!($column))?,)+
                })
            }
        }
    };
    (
        $(#[$about:meta])*
        $name:ident { $($(#[$doc:meta])* $column:ident: $type:ty,)+ }
    ) => {
        $(#[$about])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name {
            $($(#[$doc])* pub $column: $type,)+
        }

        impl $crate::rows::columns::Columns for $name {
            const COLUMNS: &'static [$crate::rows::columns::Named] =
                &[$((stringify!($column), <$type as $crate::rows::columns::Column>::TYPE)),+];

            fn bind<'q, 'r>(
                rows: impl Iterator<Item = &'r Self> + Clone,
                query: $crate::rows::columns::Bound<'q>,
            ) -> $crate::rows::columns::Bound<'q> {
                $(
                    let column = rows.clone().map(|row| $crate::rows::columns::Column::bound(&row.$column));
                    let query = query.bind(column.collect::<Vec<_>>());
                )+
                query
            }

            fn copy(
                &self,
                rows: &mut $crate::rows::copied::Copied,
            ) -> Result<(), sqlx::error::BoxDynError> {
                $(rows.put($crate::rows::columns::Column::bound(&self.$column))?;)+
                Ok(())
            }
        }
    };
}

/// The names of the columns, for a `SELECT` or an `INSERT`.
#[must_use]
pub fn names(columns: &[Named]) -> String {
    let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    names.join(", ")
}

/// `UNNEST` of one bound array per column, starting with `$1`.
#[must_use]
pub fn unnest(columns: &[Named]) -> String {
    let arrays = (1..).zip(columns);
    let arrays: Vec<String> = arrays
        .map(|(number, (_, of))| format!("${number}::{of}[]"))
        .collect();
    format!("UNNEST({})", arrays.join(", "))
}

/// The statement that appends rows to a table.
#[must_use]
pub fn insert_into(table: &str, groups: &[&[Named]]) -> String {
    let columns = groups.concat();
    let (names, unnest) = (names(&columns), unnest(&columns));
    format!("INSERT INTO {table} ({names})\nSELECT *\nFROM {unnest}")
}

/// The statement that reads rows for a table from the client, in the form of [`Copied`].
#[must_use]
pub fn copy_into(table: &str, groups: &[&[Named]]) -> String {
    let names = names(&groups.concat());
    format!("COPY {table} ({names})\nFROM STDIN (FORMAT binary)")
}

macro_rules! plain_columns {
    ($($type:ty: $sql:literal,)+) => {$(
        impl Column for $type {
            const TYPE: &'static str = $sql;
            type Bound<'a> = Self;

            fn bound(&self) -> Self {
                *self
            }
        }

        impl Stored for $type {
            type As = Self;

            fn from_stored(stored: Self) -> Result<Self, &'static str> {
                Ok(stored)
            }
        }
    )+};
}

plain_columns! {
    bool: "bool",
    i16: "int2",
    i32: "int4",
    i64: "int8",
    f64: "float8",
}

macro_rules! uuid_columns {
    ($($type:ident,)+) => {$(
        impl Column for $type {
            const TYPE: &'static str = "uuid";
            type Bound<'a> = Uuid;

            fn bound(&self) -> Uuid {
                self.0
            }
        }

        impl Stored for $type {
            type As = Uuid;

            fn from_stored(stored: Uuid) -> Result<Self, &'static str> {
                Ok(Self(stored))
            }
        }
    )+};
}

uuid_columns! {
    CampaignId,
    ClickId,
    ConversionId,
    CustomerId,
    EventId,
    LinkId,
    PageId,
    PageviewId,
    QrId,
    RuleId,
    SessionId,
}

macro_rules! hash_columns {
    ($($type:ident,)+) => {$(
        impl Column for $type {
            const TYPE: &'static str = "bytea";
            type Bound<'a> = [u8; 16];

            fn bound(&self) -> [u8; 16] {
                self.0
            }
        }

        impl Stored for $type {
            type As = Vec<u8>;

            fn from_stored(stored: Vec<u8>) -> Result<Self, &'static str> {
                stored.try_into().map(Self).map_err(|_| "must be 16 bytes long")
            }
        }
    )+};
}

hash_columns! {
    UserHash,
    VisitorHash,
}

impl Column for WorkspaceNo {
    const TYPE: &'static str = "int4";
    type Bound<'a> = i32;

    /// The reader of events has checked that the number fits.
    fn bound(&self) -> i32 {
        self.as_int4().unwrap_or_default()
    }
}

impl Stored for WorkspaceNo {
    type As = i32;

    fn from_stored(stored: i32) -> Result<Self, &'static str> {
        u32::try_from(stored)
            .map(Self)
            .map_err(|_| "must not be negative")
    }
}

impl Column for Timestamp {
    const TYPE: &'static str = "timestamptz";
    type Bound<'a> = jiff_sqlx::Timestamp;

    fn bound(&self) -> jiff_sqlx::Timestamp {
        self.to_sqlx()
    }
}

impl Stored for Timestamp {
    type As = jiff_sqlx::Timestamp;

    fn from_stored(stored: jiff_sqlx::Timestamp) -> Result<Self, &'static str> {
        Ok(stored.to_jiff())
    }
}

impl Column for Date {
    const TYPE: &'static str = "date";
    type Bound<'a> = jiff_sqlx::Date;

    fn bound(&self) -> jiff_sqlx::Date {
        self.to_sqlx()
    }
}

impl Column for &'static str {
    const TYPE: &'static str = "text";
    type Bound<'a> = Self;

    fn bound(&self) -> Self {
        self
    }
}

impl Column for String {
    const TYPE: &'static str = "text";
    type Bound<'a> = &'a str;

    fn bound(&self) -> &str {
        self
    }
}

impl Stored for String {
    type As = Self;

    fn from_stored(stored: Self) -> Result<Self, &'static str> {
        Ok(stored)
    }
}

impl Column for Value {
    /// An array of `text` is smaller on the wire than one of `jsonb`.
    const TYPE: &'static str = "text[]::jsonb";
    type Bound<'a> = String;

    fn bound(&self) -> String {
        self.to_string()
    }
}

impl Column for Vec<u8> {
    const TYPE: &'static str = "bytea";
    type Bound<'a> = &'a [u8];

    fn bound(&self) -> &[u8] {
        self
    }
}

impl Stored for Vec<u8> {
    type As = Self;

    fn from_stored(stored: Self) -> Result<Self, &'static str> {
        Ok(stored)
    }
}

impl<T: Column> Column for Option<T> {
    const TYPE: &'static str = T::TYPE;
    type Bound<'a>
        = Option<T::Bound<'a>>
    where
        T: 'a;

    fn bound(&self) -> Option<T::Bound<'_>> {
        self.as_ref().map(T::bound)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    columns! {
        /// A row of a table that does not exist.
        Sample {
            workspace_no: WorkspaceNo,
            name: Option<String>,
            properties: Option<Value>,
        }
    }

    #[test]
    fn statements_are_built_from_the_members() {
        assert_eq!(
            insert_into("sample", &[Sample::COLUMNS, &[("extra", "int8")]]),
            "INSERT INTO sample (workspace_no, name, properties, extra)\nSELECT *\n\
             FROM UNNEST($1::int4[], $2::text[], $3::text[]::jsonb[], $4::int8[])",
        );
    }
}
