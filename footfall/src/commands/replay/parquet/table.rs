//! A data set: its name, its columns, and their Parquet schema.

use super::columns::{Column, Form};
use parquet::{
    basic::{LogicalType, Repetition, TimeUnit, Type as Physical},
    errors::Result,
    schema::types::{Type, TypePtr},
};
use std::sync::Arc;

/// A data set.
#[derive(Debug)]
pub(super) struct Table {
    name: &'static str,
    columns: Vec<Column>,
}

impl Table {
    pub(super) const fn new(name: &'static str, columns: Vec<Column>) -> Self {
        Self { name, columns }
    }

    /// The name of its folder.
    pub(super) const fn name(&self) -> &'static str {
        self.name
    }

    pub(super) fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// Every column is optional, so that a member added later fits older files.
    pub(super) fn schema(&self) -> Result<TypePtr> {
        let fields: Result<Vec<TypePtr>> = self.columns.iter().map(field).collect();
        let schema = Type::group_type_builder("record").with_fields(fields?);
        schema.build().map(Arc::new)
    }
}

fn field(column: &Column) -> Result<TypePtr> {
    let (physical, logical) = match column.form {
        Form::Text | Form::Json => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
        Form::Bytes => (Physical::BYTE_ARRAY, None),
        Form::Time => {
            let time = LogicalType::timestamp(true, TimeUnit::MICROS);
            (Physical::INT64, Some(time))
        }
        Form::Whole => (Physical::INT64, None),
        Form::Number => (Physical::DOUBLE, None),
        Form::Flag => (Physical::BOOLEAN, None),
    };
    let field = Type::primitive_type_builder(&column.name, physical)
        .with_repetition(Repetition::OPTIONAL)
        .with_logical_type(logical);
    field.build().map(Arc::new)
}
