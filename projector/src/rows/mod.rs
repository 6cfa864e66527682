//! Declares the rows of each table: the members of a struct are the columns of its table.
//!
//! A column is named once, in its struct. The statements, the bound values and the reading of rows
//! are built from that, see [`columns`].

#[macro_use]
pub mod columns;
mod conversion;
pub mod copied;
mod custom_event;
mod hit;
mod refusal;
mod seen;
mod session;
mod waiting;

pub use conversion::{ConversionChangeRow, ConversionRow};
pub use custom_event::CustomEventRow;
pub use hit::{
    ClickColumns, ClickRow, HitRow, LeaveColumns, OpenedColumns, ViewColumns, VisitClickRow,
};
pub use refusal::RefusalRow;
pub use seen::SeenRow;
pub use session::{
    AgentColumns, ClientColumns, Dimensions, PlaceColumns, SessionRow, SourceColumns, StateColumns,
    UtmColumns,
};
pub use waiting::WaitingRow;

/// The facts that a batch adds, by table.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    /// `hits` that are page views.
    pub hits: Vec<HitRow>,
    /// `hits` that are clicks on short links.
    pub clicks: Vec<ClickRow>,
    /// `conversions`
    pub conversions: Vec<ConversionRow>,
    /// `conversion_changes`
    pub conversion_changes: Vec<ConversionChangeRow>,
    /// `custom_events`
    pub custom_events: Vec<CustomEventRow>,
    /// `refusals`
    pub refusals: Vec<RefusalRow>,
}
