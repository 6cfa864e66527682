//! `/api/qr`: QR codes of links, and their pictures.
//!
//! The one rule: a change raises the version of the link, and publishes its entry with all its QR
//! codes. So a scan is recognised as soon as the code exists.

mod change;
mod draw;
mod edit;
mod picture;
mod png;
mod read;
mod wire;

use crate::command::{Family, Object};

/// A QR code in a path.
const QR: Object = Object {
    id: "qrId",
    about: "The QR code.",
};

/// Most QR codes of a link. All of them are in the link's entry, so this bounds its size.
const MAX_QR_CODES: u32 = 100;

/// The commands of QR codes.
pub(crate) const FAMILY: Family = Family {
    tag: "QR codes",
    about: "Pictures of a link's short URL with `?qr=<code>`. A click by such a URL has the trigger `qr` and names its QR code, \
        so each poster or package can have one of its own.",
    commands: &[
        change::CREATE_QR,
        read::LIST_QR,
        read::GET_QR,
        change::UPDATE_QR,
        change::DELETE_QR,
        picture::QR_PNG,
        picture::QR_SVG,
    ],
};
