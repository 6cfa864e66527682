//! A whole row of `sessions`, as the batch that holds a visit's start writes it.

use crate::fold::{Dimensions, SessionKey, SessionState, bytea};
use jiff::Timestamp;
use schemas::{EventId, PageId, SessionId, UserHash, VisitorHash, WorkspaceNo};
use serde::Serialize;

/// One row: its members are the columns.
#[derive(Debug, Serialize)]
pub(super) struct SessionRow<'a> {
    workspace_no: WorkspaceNo,
    session_id: SessionId,
    seq: i64,
    started_at: Timestamp,
    start_event_id: EventId,
    page_id: PageId,
    #[serde(serialize_with = "bytea")]
    visitor_hash: Option<VisitorHash>,
    #[serde(serialize_with = "bytea")]
    user_hash: Option<UserHash>,
    identified_at: Option<Timestamp>,
    identified_by: Option<EventId>,
    last_activity_at: Timestamp,
    heartbeats: i32,
    page_views: i32,
    bounced: bool,
    left_views: i32,
    viewed_seconds: f64,
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
            seq: state.seq,
            started_at: started.at,
            start_event_id: started.event_id,
            page_id: started.page_id,
            visitor_hash: *visitor_hash,
            user_hash: state.identified.map(|identified| identified.user_hash),
            identified_at: state.identified.map(|identified| identified.at),
            identified_by: state.identified.map(|identified| identified.event_id),
            last_activity_at: state.last_activity_at.unwrap_or(started.at),
            heartbeats: state.heartbeats,
            page_views: state.page_views,
            bounced: state.bounced(),
            left_views: state.left_views,
            viewed_seconds: state.viewed_seconds,
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
