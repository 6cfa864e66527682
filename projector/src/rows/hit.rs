//! The table `hits`: page views that count, clicks included, each with its latest leave; and clicks
//! on short links.

use super::{AgentColumns, Dimensions, PlaceColumns, SourceColumns, UtmColumns};
use jiff::Timestamp;
use schemas::{
    CampaignId, ClickId, EventId, LinkId, PageId, PageviewId, QrId, RuleId, SessionId, WorkspaceNo,
};

columns! {
    readable
    /// The columns of a page view, or of a click on a link of a bio page.
    ViewColumns {
        /// Generation of the log and offset of the record; never changes.
        seq: i64,
        /// The seq at which readers see it: the higher of its own seq and its session's.
        visible_seq: i64,
        /// When it happened; decides the month's partition.
        occurred_at: Timestamp,
        /// When ingest received it.
        received_at: Timestamp,
        /// Time of the latest leave.
        left_at: Option<Timestamp>,
        /// Duration of the view, from that leave.
        left_micros: Option<i64>,
        /// Scroll depth, from that leave.
        scroll_depth_percent: Option<f64>,
        /// Tenant.
        workspace_no: WorkspaceNo,
        /// Identity.
        event_id: EventId,
        /// The page, which is the session's.
        page_id: Option<PageId>,
        /// The session.
        session_id: SessionId,
        /// The id of the view, which leaves name.
        pageview_id: PageviewId,
        /// Identity of the latest leave. Of two leaves at the same time, the one with the greater
        /// id counts.
        left_by: Option<EventId>,
        /// Path.
        path: Option<String>,
        /// Title.
        title: Option<String>,
    }
}

columns! {
    /// How a page or a link was opened. Both kinds of clicks have these columns, and conversions copy
    /// them from their click.
    OpenedColumns {
        /// The link; `None` for a page.
        link_id: Option<LinkId>,
        /// Referring URL.
        referrer: Option<String>,
        /// How the link was opened; `None` for a page.
        trigger: Option<&'static str>,
    }
}

/// A row of `hits` that is a page view, or a click on a link of a bio page.
#[derive(Clone, Debug, PartialEq)]
pub struct HitRow {
    /// The view.
    pub view: ViewColumns,
    /// How it was opened.
    pub opened: OpenedColumns,
}

groups! {
    HitRow {
        view: ViewColumns,
        opened: OpenedColumns,
    }
}

/// A row of `hits` that is a click of a visit. It has copies of the visit's dimensions, so that
/// reports over clicks read one table.
#[derive(Clone, Debug, PartialEq)]
pub struct VisitClickRow<'a> {
    /// The click, which is a view of the page.
    pub hit: HitRow,
    /// The dimensions of the visit.
    pub visit: &'a Dimensions,
}

groups! {
    VisitClickRow<'_> {
        hit.view: ViewColumns,
        hit.opened: OpenedColumns,
        visit.source: SourceColumns,
        visit.utm: UtmColumns,
        visit.place: PlaceColumns,
        visit.agent: AgentColumns,
    }
}

/// A row of `hits` that is a click on a short link.
#[derive(Clone, Debug, PartialEq)]
pub struct ClickRow {
    /// The click itself.
    pub click: ClickColumns,
    /// How the link was opened.
    pub opened: OpenedColumns,
    /// The visitor and the source of the click.
    pub source: SourceColumns,
    /// Campaign parameters of the click.
    pub utm: UtmColumns,
    /// The visitor's place.
    pub place: PlaceColumns,
    /// Their device and browser.
    pub agent: AgentColumns,
}

groups! {
    ClickRow {
        click: ClickColumns,
        opened: OpenedColumns,
        source: SourceColumns,
        utm: UtmColumns,
        place: PlaceColumns,
        agent: AgentColumns,
    }
}

columns! {
    /// The columns that only clicks on short links have.
    ClickColumns {
        /// Generation of the log and offset of the record; never changes.
        seq: i64,
        /// The seq at which readers see it, which is its own.
        visible_seq: i64,
        /// When it happened; decides the month's partition.
        occurred_at: Timestamp,
        /// When ingest received it.
        received_at: Timestamp,
        /// How long the redirect took.
        redirect_micros: i32,
        /// Tenant.
        workspace_no: WorkspaceNo,
        /// True if an earlier click of the visitor counts instead, see `store::clicks`.
        is_duplicate: bool,
        /// Identity.
        event_id: EventId,
        /// The id that conversions name.
        click_id: Option<ClickId>,
        /// Why it does not count.
        bot_reason: Option<&'static str>,
        /// The link's code.
        short_code: String,
        /// The host of the short URL.
        host: String,
        /// Where the redirect led.
        destination: String,
        /// The link's campaign at that time.
        campaign_id: Option<CampaignId>,
        /// The rule that chose the destination.
        rule_id: Option<RuleId>,
        /// Its name at that time.
        rule_name: Option<String>,
        /// The QR code that was scanned.
        qr_id: Option<QrId>,
    }
}

columns! {
    /// The key of a hit, and the columns that a leave changes.
    LeaveColumns {
        /// Tenant.
        workspace_no: WorkspaceNo,
        /// Seq of the hit.
        seq: i64,
        /// When the view happened.
        occurred_at: Timestamp,
        /// Time of the latest leave.
        left_at: Timestamp,
        /// Identity of that leave.
        left_by: EventId,
        /// Duration of the view, from that leave.
        left_micros: i64,
        /// Scroll depth, from that leave.
        scroll_depth_percent: Option<f64>,
    }
}
