//! A whole row of `sessions`, as the batch that holds a visit's start writes it.

use super::events::int4;
use crate::fold::{Dimensions, SessionKey, SessionState};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use schemas::{EventId, PageId, SessionId, UserHash, VisitorHash, WorkspaceNo};
use sqlx::PgConnection;

pub(super) const INSERT: &str = "
INSERT INTO sessions (
    workspace_no, session_id, seq, started_at, start_event_id, start_received_at, page_id, visitor_hash,
    user_hash, identified_at, identified_by, last_activity_at, heartbeats, page_views, bounced, left_views,
    viewed_micros, duration_seconds, referrer, referrer_domain, source_class, landing_path,
    utm_source, utm_medium, utm_campaign, utm_term, utm_content, country, country_code, region,
    city, continent, device, browser, browser_version, os, os_version, brand, model, language,
    timezone, screen_width, screen_height, bot_signals
)
SELECT *
FROM UNNEST(
    $1::int4[], $2::uuid[], $3::int8[], $4::timestamptz[], $5::uuid[], $6::timestamptz[], $7::uuid[],
    $8::bytea[], $9::bytea[], $10::timestamptz[], $11::uuid[], $12::timestamptz[], $13::int4[],
    $14::int4[], $15::bool[], $16::int4[], $17::int8[], $18::float8[], $19::text[], $20::text[],
    $21::text[], $22::text[], $23::text[], $24::text[], $25::text[], $26::text[], $27::text[], $28::text[],
    $29::text[], $30::text[], $31::text[], $32::text[], $33::text[], $34::text[], $35::text[], $36::text[],
    $37::text[], $38::text[], $39::text[], $40::text[], $41::text[], $42::int4[], $43::int4[], $44::int8[]
)";

/// One row: its members are the columns.
#[derive(Debug)]
pub(super) struct SessionRow<'a> {
    workspace_no: WorkspaceNo,
    session_id: SessionId,
    seq: i64,
    started_at: Timestamp,
    start_event_id: EventId,
    start_received_at: Timestamp,
    page_id: PageId,
    visitor_hash: Option<VisitorHash>,
    user_hash: Option<UserHash>,
    identified_at: Option<Timestamp>,
    identified_by: Option<EventId>,
    last_activity_at: Timestamp,
    heartbeats: i32,
    page_views: i32,
    bounced: bool,
    left_views: i32,
    viewed_micros: i64,
    duration_seconds: f64,
    referrer: Option<&'a str>,
    referrer_domain: &'a str,
    source_class: &'a str,
    landing_path: Option<&'a str>,
    utm_source: Option<&'a str>,
    utm_medium: Option<&'a str>,
    utm_campaign: Option<&'a str>,
    utm_term: Option<&'a str>,
    utm_content: Option<&'a str>,
    country: Option<&'a str>,
    country_code: Option<&'a str>,
    region: Option<&'a str>,
    city: Option<&'a str>,
    continent: Option<&'a str>,
    device: Option<&'a str>,
    browser: Option<&'a str>,
    browser_version: Option<&'a str>,
    os: Option<&'a str>,
    os_version: Option<&'a str>,
    brand: Option<&'a str>,
    model: Option<&'a str>,
    language: Option<&'a str>,
    timezone: Option<&'a str>,
    screen_width: Option<i32>,
    screen_height: Option<i32>,
    bot_signals: u32,
}

impl<'a> SessionRow<'a> {
    /// The row of a visit that has begun; `None` of one that has not, or whose dimensions the table
    /// has already.
    pub(super) fn new(
        (workspace_no, session_id): SessionKey,
        state: &'a SessionState,
    ) -> Option<Self> {
        let started = state.started.as_ref()?;
        let Dimensions {
            visitor_hash,
            referrer,
            referrer_domain,
            source_class,
            landing_path,
            utm,
            place,
            device,
            agent,
            language,
            timezone,
            screen,
            bot_signals,
        } = started.dimensions.as_deref()?;
        let [utm_source, utm_medium, utm_campaign, utm_term, utm_content] =
            utm.each_ref().map(Option::as_deref);
        let [country, country_code, region, city, continent] =
            place.each_ref().map(Option::as_deref);
        let [browser, browser_version, os, os_version, brand, model] =
            agent.each_ref().map(Option::as_deref);
        Some(Self {
            workspace_no,
            session_id,
            seq: started.seq,
            started_at: started.at,
            start_event_id: started.event_id,
            start_received_at: started.received_at,
            page_id: started.page_id,
            visitor_hash: *visitor_hash,
            user_hash: state.identified.map(|identified| identified.user_hash),
            identified_at: state.identified.map(|identified| identified.at),
            identified_by: state.identified.map(|identified| identified.event_id),
            last_activity_at: state.last_activity_at.unwrap_or(started.at),
            heartbeats: state.heartbeats,
            page_views: state.page_views,
            bounced: state.bounced(),
            left_views: state.viewed.left_views,
            viewed_micros: state.viewed.micros,
            duration_seconds: state.duration_seconds(),
            referrer: referrer.as_deref(),
            referrer_domain,
            source_class,
            landing_path: landing_path.as_deref(),
            utm_source,
            utm_medium,
            utm_campaign,
            utm_term,
            utm_content,
            country,
            country_code,
            region,
            city,
            continent,
            device: *device,
            browser,
            browser_version,
            os,
            os_version,
            brand,
            model,
            language: language.as_deref(),
            timezone: timezone.as_deref(),
            screen_width: screen.map(|(width, _)| width),
            screen_height: screen.map(|(_, height)| height),
            bot_signals: *bot_signals,
        })
    }
}

/// Appends rows, column by column: half of the time that the server takes to read them as JSON. `COPY` takes
/// 40 ms for a batch of one, which is what a dashboard waits for: sqlx sends the data and their end as two
/// messages and leaves Nagle's algorithm on.
pub(super) async fn insert(
    connection: &mut PgConnection,
    rows: &[SessionRow<'_>],
) -> sqlx::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query(INSERT)
        .bind(column(rows, |row| int4(row.workspace_no)))
        .bind(column(rows, |row| row.session_id.0))
        .bind(column(rows, |row| row.seq))
        .bind(column(rows, |row| row.started_at.to_sqlx()))
        .bind(column(rows, |row| row.start_event_id.0))
        .bind(column(rows, |row| row.start_received_at.to_sqlx()))
        .bind(column(rows, |row| row.page_id.0))
        .bind(column(rows, |row| row.visitor_hash.map(|hash| hash.0)))
        .bind(column(rows, |row| row.user_hash.map(|hash| hash.0)))
        .bind(column(rows, |row| row.identified_at.map(ToSqlx::to_sqlx)))
        .bind(column(rows, |row| row.identified_by.map(|id| id.0)))
        .bind(column(rows, |row| row.last_activity_at.to_sqlx()))
        .bind(column(rows, |row| row.heartbeats))
        .bind(column(rows, |row| row.page_views))
        .bind(column(rows, |row| row.bounced))
        .bind(column(rows, |row| row.left_views))
        .bind(column(rows, |row| row.viewed_micros))
        .bind(column(rows, |row| row.duration_seconds))
        .bind(column(rows, |row| row.referrer))
        .bind(column(rows, |row| row.referrer_domain))
        .bind(column(rows, |row| row.source_class))
        .bind(column(rows, |row| row.landing_path))
        .bind(column(rows, |row| row.utm_source))
        .bind(column(rows, |row| row.utm_medium))
        .bind(column(rows, |row| row.utm_campaign))
        .bind(column(rows, |row| row.utm_term))
        .bind(column(rows, |row| row.utm_content))
        .bind(column(rows, |row| row.country))
        .bind(column(rows, |row| row.country_code))
        .bind(column(rows, |row| row.region))
        .bind(column(rows, |row| row.city))
        .bind(column(rows, |row| row.continent))
        .bind(column(rows, |row| row.device))
        .bind(column(rows, |row| row.browser))
        .bind(column(rows, |row| row.browser_version))
        .bind(column(rows, |row| row.os))
        .bind(column(rows, |row| row.os_version))
        .bind(column(rows, |row| row.brand))
        .bind(column(rows, |row| row.model))
        .bind(column(rows, |row| row.language))
        .bind(column(rows, |row| row.timezone))
        .bind(column(rows, |row| row.screen_width))
        .bind(column(rows, |row| row.screen_height))
        .bind(column(rows, |row| i64::from(row.bot_signals)))
        .execute(connection)
        .await?;
    Ok(())
}

fn column<'a, T>(rows: &'a [SessionRow<'a>], read: impl Fn(&'a SessionRow<'a>) -> T) -> Vec<T> {
    rows.iter().map(read).collect()
}
