//! QR codes of links, from their creation to their scans.

use super::{Caller, actions, error, id, link_entry, plain};
use crate::clicks::{open, until_folded, until_known};
use jiff::SignedDuration;
use kit::System;
use reqwest::Method;
use serde_json::{Value, json};
use std::io::Cursor;
use uuid::Uuid;

const HOST: &str = "footfall.test";

/// What a PNG says.
fn decoded(png: &[u8]) -> String {
    let mut decoder = png::Decoder::new(Cursor::new(png));
    decoder.set_transformations(png::Transformations::EXPAND);
    let mut reader = decoder.read_info().unwrap();
    let mut rgb = vec![0; reader.output_buffer_size().unwrap()];
    let width = usize::try_from(reader.next_frame(&mut rgb).unwrap().width).unwrap();
    let mut image =
        rqrr::PreparedImage::prepare_from_greyscale(width, width, |x, y| rgb[(y * width + x) * 3]);
    image.detect_grids()[0].decode().unwrap().1
}

/// The picture at that path: its media type and its bytes.
async fn picture(caller: &Caller<'_>, path: &str) -> (String, Vec<u8>) {
    let request = caller.system.client.request(Method::GET, path);
    let answer = request.bearer_auth(caller.token).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let kind = answer.headers()["content-type"].to_str().unwrap();
    (kind.to_owned(), answer.bytes().await.unwrap().to_vec())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scanned_code_is_a_click_with_its_trigger_and_id() {
    let system = System::start().await;
    let creator = system.client.creator("ada").await;
    let ada = Caller::new(&system, &creator);
    let link = ada.link(plain("promo")).await;
    let body = json!({"code": "poster-1", "name": "Poster", "foregroundColor": "#0A3D62", "logoArea": true});
    let path = format!("/api/qr/links/{}", id(&link));
    let answer = ada.post(&path, body).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    let qr = answer.data();
    assert_eq!(
        (&qr["errorCorrection"], &qr["foregroundColor"], &qr["size"]),
        (&json!("H"), &json!("#0a3d62"), &json!(512))
    );
    let (kind, png) = picture(&ada, qr["imageUrl"].as_str().unwrap()).await;
    assert_eq!(kind, "image/png");
    let scanned = decoded(&png);
    assert_eq!(scanned, qr["url"].as_str().unwrap());
    assert!(
        scanned.ends_with(&format!("//{HOST}/promo?qr=poster-1")),
        "{scanned}"
    );
    let (kind, svg) = picture(&ada, &format!("/api/qr/{}/image.svg?size=99", id(&qr))).await;
    assert_eq!(kind, "image/svg+xml");
    assert!(svg.starts_with(b"<svg ") && svg.ends_with(b"</svg>"));

    until_known(&system, "promo").await;
    let (_, scan) = scanned.split_once(HOST).unwrap();
    let other = "/promo?qr=unknown";
    for (rows, path) in [(1, scan), (2, other)] {
        let answer = open(&system.client, HOST, path, &[]).await;
        assert_eq!(answer.status, 302);
        assert_eq!(answer.headers["location"], "https://shop.example/x");
        until_folded(&system.analytics, id(&link), rows).await;
    }
    let rows: Vec<(String, Option<Uuid>)> =
        sqlx::query_as("SELECT trigger, qr_id FROM hits WHERE link_id = $1 ORDER BY seq")
            .bind(id(&link))
            .fetch_all(&system.analytics)
            .await
            .unwrap();
    let expected = [("qr".to_owned(), Some(id(&qr))), ("qr".to_owned(), None)];
    assert_eq!(rows, expected);
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_change_of_a_code_is_in_the_entry_of_its_link() {
    let system = System::start().await;
    let creator = system.client.creator("ada").await;
    let ada = Caller::new(&system, &creator);
    let link = ada.link(plain("promo")).await;
    let of_link = format!("/api/qr/links/{}", id(&link));
    let create = async |body: Value| {
        let answer = ada.post(&of_link, body).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        answer.data()
    };
    let first = create(json!({"code": "a"})).await;
    // The list is in the order of creation.
    system.clock.advance(SignedDuration::from_secs(1));
    let second = create(json!({"margin": 2, "format": "svg"})).await;
    assert_eq!(first["name"], "a");
    assert_eq!(second["code"].as_str().unwrap().len(), 10);
    assert_eq!(second["warnings"].as_array().unwrap().len(), 1);
    assert!(second["imageUrl"].as_str().unwrap().ends_with("/image.svg"));
    let codes = async || {
        let entry = link_entry(&system, id(&link)).await;
        let codes = entry.settings.qr_codes.into_iter();
        let ids: Vec<Uuid> = codes.map(|code| code.qr_id.0).collect();
        (ids, entry.row_version)
    };
    assert_eq!(codes().await, (vec![id(&first), id(&second)], 3));
    let list = ada.get(&of_link).await.data();
    assert_eq!(list, json!([first, second]));

    // A sparse change keeps everything else, and a repetition writes nothing.
    let path = format!("/api/qr/{}", id(&first));
    for _ in 0..2 {
        let changed = ada.patch(&path, json!({"size": 300, "name": "Box"})).await;
        let changed = changed.data();
        assert_eq!(
            (&changed["size"], &changed["code"]),
            (&json!(300), &json!("a"))
        );
    }
    assert_eq!(codes().await.1, 4);
    ada.delete(&path).await.assert_ok();
    assert_eq!(error(&ada.get(&path).await), (404, "NOT_FOUND".to_owned()));
    assert_eq!(codes().await, (vec![id(&second)], 5));
    assert_eq!(
        actions(&system, id(&first)).await,
        ["qr.created", "qr.updated", "qr.deleted"]
    );
    // Prints of a deleted code may still exist, so its code stays taken.
    let answer = ada.post(&of_link, json!({"code": "a"})).await;
    assert_eq!(error(&answer), (409, "DUPLICATE_CODE".to_owned()));
    // Another link may have the same code.
    let other = ada.link(plain("other")).await;
    let of_other = format!("/api/qr/links/{}", id(&other));
    let answer = ada.post(&of_other, json!({"code": "a"})).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    // Without the link there are none.
    ada.delete(&format!("/api/links/{}", id(&link)))
        .await
        .assert_ok();
    for path in [
        of_link,
        format!("/api/qr/{}", id(&second)),
        format!("/api/qr/{}/image.png", id(&second)),
    ] {
        assert_eq!(error(&ada.get(&path).await).0, 404, "{path}");
    }
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_that_scanners_cannot_read_are_refused() {
    let system = System::start().await;
    let creator = system.client.creator("ada").await;
    let ada = Caller::new(&system, &creator);
    let link = ada.link(plain("promo")).await;
    let path = format!("/api/qr/links/{}", id(&link));
    for (body, part) in [
        (
            json!({"foregroundColor": "#ffffff", "backgroundColor": "#000000"}),
            "contrast",
        ),
        (json!({"foregroundColor": "#ffff00"}), "contrast"),
        (
            json!({"foregroundColor": "#000\"/><script>alert(1)</script>"}),
            "foregroundColor",
        ),
        (json!({"size": 100_000_000}), "2000"),
        (json!({"size": 64, "margin": 20}), "at least"),
        (json!({"errorCorrection": "X"}), "errorCorrection"),
        (json!({"code": "a b"}), "code"),
    ] {
        let answer = ada.post(&path, body.clone()).await;
        assert_eq!(
            error(&answer),
            (400, "VALIDATION_ERROR".to_owned()),
            "{body}"
        );
        assert!(answer.text.contains(part), "{part}: {}", answer.text);
    }
    let qr = ada.post(&path, json!({})).await;
    assert_eq!(qr.status, 201, "{}", qr.text);
    for size in ["100000000", "-1", "x", "", "63", "2001"] {
        let path = format!("/api/qr/{}/image.png?size={size}", qr.id());
        assert_eq!(error(&ada.get(&path).await).0, 400, "{size}");
    }
    system.finish().await;
}
