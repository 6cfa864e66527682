//! A well-behaved client: it retries each beacon until it is acknowledged, always with the same `eventId`.

use crate::target::Target;
use serde_json::{Value, json};
use std::{error::Error, time::Duration};
use uuid::Uuid;

/// How often a beacon is sent before the measurement gives up, with a pause between attempts.
const ATTEMPTS: u32 = 600;
const PAUSE: Duration = Duration::from_millis(100);

const REFERRERS: [&str; 5] = [
    "https://www.instagram.com/p/1",
    "https://youtube.com/watch",
    "",
    "https://t.co/abc",
    "https://duckduckgo.com/",
];

/// The `eventId` of a visit's beacon; step 0 is the session.
pub fn event_id(run: u32, number: u32, step: u32) -> Uuid {
    Uuid::from_u64_pair((u64::from(run) << 32) | u64::from(number), u64::from(step))
}

/// Whether a step is a heartbeat; apart from the session, the others are views.
pub const fn is_heartbeat(step: u32) -> bool {
    step % 5 == 4
}

/// Sends the beacons of one visit: its session, then views, clicks and heartbeats. `number` determines
/// everything about it, including the `eventId`s. Returns the number of retries.
pub async fn visit(
    http: &reqwest::Client,
    target: &Target,
    run: u32,
    number: u32,
    beacons: u32,
) -> Result<u32, Box<dyn Error + Send + Sync>> {
    let event_id = |step| event_id(run, number, step);
    let mut retries = 0;
    let session = json!({
        "eventId": event_id(0),
        "visitorId": format!("visitor-{}", number % 1500),
        "consentAnalytics": "granted",
        "bioPageId": target.page,
        "referrer": REFERRERS[number as usize % REFERRERS.len()],
    });
    let answer = send(http, target, "session", session, &mut retries).await?;
    let session = answer["data"]["id"]
        .as_str()
        .ok_or_else(|| format!("a session was refused: {answer}"))?
        .to_owned();
    for step in 1..beacons {
        if is_heartbeat(step) {
            let path = format!("session/{session}/heartbeat");
            send(
                http,
                target,
                &path,
                json!({"eventId": event_id(step)}),
                &mut retries,
            )
            .await?;
            continue;
        }
        let link =
            (step % 5 == 2).then(|| target.links[(number + step) as usize % target.links.len()]);
        let view = json!({"eventId": event_id(step), "sessionId": session, "path": "/", "linkClicked": link});
        send(http, target, "pageview", view, &mut retries).await?;
    }
    Ok(retries)
}

/// Posts one beacon until it gets a 200.
pub async fn send(
    http: &reqwest::Client,
    target: &Target,
    path: &str,
    mut body: Value,
    retries: &mut u32,
) -> Result<Value, Box<dyn Error + Send + Sync>> {
    for _ in 0..ATTEMPTS {
        if path == "session" {
            body["trackingToken"] = json!(target.tracking_token());
        }
        let url = format!("{}/api/v1/analytics/{path}", target.base());
        match http.post(url).json(&body).send().await {
            Ok(response) if response.status().is_success() => {
                if let Ok(answer) = response.json().await {
                    return Ok(answer);
                }
            }
            Ok(response) if response.status().is_client_error() => {
                return Err(format!(
                    "{path} was answered {}: {}",
                    response.status(),
                    response.text().await?
                )
                .into());
            }
            // 5xx, or no program at this address at the moment.
            Ok(_) | Err(_) => {}
        }
        *retries += 1;
        tokio::time::sleep(PAUSE).await;
    }
    Err(format!("{path} was not acknowledged").into())
}
