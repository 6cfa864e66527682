//! The table `sessions`: visits in their present state. Groups of columns are read and written
//! separately.

use jiff::Timestamp;
use schemas::{EventId, PageId, SessionId, UserHash, VisitorHash, WorkspaceNo};

columns! {
    readable
    /// The columns of a session that are read back. All but the first seven change.
    StateColumns {
        /// Seq of the start, which never changes.
        seq: i64,
        /// When it started; decides the month's partition.
        started_at: Timestamp,
        /// When ingest received the start; decides which events waited for it in time.
        start_received_at: Timestamp,
        /// Tenant.
        workspace_no: WorkspaceNo,
        /// The session.
        session_id: SessionId,
        /// Identity of the start.
        start_event_id: EventId,
        /// The page visited.
        page_id: PageId,
        /// Time of the latest event.
        last_activity_at: Timestamp,
        /// Sum of the durations of its views, exact in any order.
        viewed_micros: i64,
        /// The duration that reports use.
        duration_seconds: f64,
        /// Heartbeats.
        heartbeats: i32,
        /// Views, clicks included.
        page_views: i32,
        /// Views that were left.
        left_views: i32,
        /// True until the second view.
        bounced: bool,
        /// Time of the latest binding to a user.
        identified_at: Option<Timestamp>,
        /// Identity of that binding. Of two bindings at the same time, the one with the greater id
        /// counts.
        identified_by: Option<EventId>,
        /// That user.
        user_hash: Option<UserHash>,
    }
}

/// The columns that a start fills and no later event changes.
#[derive(Clone, Debug, PartialEq)]
pub struct Dimensions {
    /// The visitor and the source of the visit.
    pub source: SourceColumns,
    /// Campaign parameters of the landing URL.
    pub utm: UtmColumns,
    /// The visitor's place.
    pub place: PlaceColumns,
    /// Their device and browser.
    pub agent: AgentColumns,
    /// The data that their client reported.
    pub client: ClientColumns,
}

/// A whole row of `sessions`.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionRow<'a> {
    /// What later events change.
    pub state: StateColumns,
    /// What the start has fixed.
    pub fixed: &'a Dimensions,
}

groups! {
    SessionRow<'_> {
        state: StateColumns,
        fixed.source: SourceColumns,
        fixed.utm: UtmColumns,
        fixed.place: PlaceColumns,
        fixed.agent: AgentColumns,
        fixed.client: ClientColumns,
    }
}

columns! {
    /// The visitor and the source of the visit or click.
    SourceColumns {
        /// The visitor.
        visitor_hash: Option<VisitorHash>,
        /// Referring host or `direct`.
        referrer_domain: String,
        /// Kind of referrer.
        source_class: &'static str,
    }
}

columns! {
    /// Campaign parameters of the landing URL or short URL.
    UtmColumns {
        /// `utm_source`
        utm_source: Option<String>,
        /// `utm_medium`
        utm_medium: Option<String>,
        /// `utm_campaign`
        utm_campaign: Option<String>,
        /// `utm_term`
        utm_term: Option<String>,
        /// `utm_content`
        utm_content: Option<String>,
    }
}

columns! {
    /// The visitor's place.
    PlaceColumns {
        /// English short name.
        country: Option<String>,
        /// ISO 3166-1 alpha-2, upper case.
        country_code: Option<String>,
        /// First subdivision.
        region: Option<String>,
        /// City.
        city: Option<String>,
        /// Two letters.
        continent: Option<String>,
    }
}

columns! {
    /// The visitor's device and browser.
    AgentColumns {
        /// Kind of device.
        device: Option<&'static str>,
        /// Browser family.
        browser: Option<String>,
        /// Browser version.
        browser_version: Option<String>,
        /// Operating system family.
        os: Option<String>,
        /// Operating system version.
        os_version: Option<String>,
        /// Maker of the device.
        brand: Option<String>,
        /// Model of the device.
        model: Option<String>,
        /// Language tag.
        language: Option<String>,
    }
}

columns! {
    /// The data that the visitor's client reported.
    ClientColumns {
        /// Referring URL.
        referrer: Option<String>,
        /// Path of the landing URL.
        landing_path: Option<String>,
        /// IANA zone.
        timezone: Option<String>,
        /// Width of the screen.
        screen_width: Option<i32>,
        /// Height of the screen.
        screen_height: Option<i32>,
        /// Bits of the bot rules.
        bot_signals: i64,
    }
}
