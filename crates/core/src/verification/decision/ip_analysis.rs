//! Devices and IP addresses.

use super::number::{Number, is_number};
use super::parts::{Match, Warning};
use super::shape::{debug_only, objects, text_or_number};
use crate::json::{Object, RawJson, optional_object};
use crate::verification::Status;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

/// A report about the device and the IP address.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct IpAnalysis {
    /// The step of the workflow.
    pub node_id: Option<String>,
    /// The status of the report.
    pub status: Option<Status>,
    /// The IP address.
    pub ip_address: Option<String>,
    /// The country of the IP address.
    pub ip_country: Option<String>,
    /// The country of the IP address, as an ISO 3166-1 alpha-2 code.
    pub ip_country_code: Option<String>,
    /// The state or region of the IP address.
    pub ip_state: Option<String>,
    /// The city of the IP address.
    pub ip_city: Option<String>,
    /// The latitude in degrees.
    pub latitude: Option<Number>,
    /// The longitude in degrees.
    pub longitude: Option<Number>,
    /// The internet service provider.
    pub isp: Option<String>,
    /// The organization that owns the IP address.
    pub organization: Option<String>,
    /// True if the IP address belongs to a VPN or to Tor.
    pub is_vpn_or_tor: Option<bool>,
    /// True if the IP address belongs to a data center.
    pub is_data_center: Option<bool>,
    /// The time zone, such as `Europe/Madrid`.
    pub time_zone: Option<String>,
    /// The offset from UTC, such as `+0100` or `-8`.
    #[serde(deserialize_with = "text_or_number")]
    pub time_zone_offset: Option<String>,
    /// The brand of the device.
    pub device_brand: Option<String>,
    /// The model of the device.
    pub device_model: Option<String>,
    /// The browser.
    pub browser_family: Option<String>,
    /// The operating system.
    pub os_family: Option<String>,
    /// `mobile` or `desktop`.
    pub platform: Option<String>,
    /// The fingerprint of the device.
    pub device_fingerprint: Option<String>,
    /// The place of the IP address.
    #[serde(deserialize_with = "optional_object")]
    pub ip: Option<Place>,
    /// The place of the address in the identity document.
    #[serde(deserialize_with = "optional_object")]
    pub id_document: Option<Place>,
    /// The place of the proof of address.
    #[serde(deserialize_with = "optional_object")]
    pub poa_document: Option<Place>,
    /// Sessions with the same IP address or device.
    #[serde(deserialize_with = "objects")]
    pub matches: Vec<Match>,
    /// The warnings.
    #[serde(deserialize_with = "objects")]
    pub warnings: Vec<Warning>,
}

debug_only!(IpAnalysis: node_id, status, is_vpn_or_tor, is_data_center, warnings);

/// A place and its distance to other places.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Place {
    /// The location.
    #[serde(deserialize_with = "optional_object")]
    pub location: Option<Location>,
    /// The distance to the place of the IP address.
    pub distance_from_ip: Option<Distance>,
    /// The distance to the address in the identity document.
    pub distance_from_id_document: Option<Distance>,
    /// The distance to the proof of address.
    pub distance_from_poa_document: Option<Distance>,
}

debug_only!(Place);

/// Geographic coordinates.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Location {
    /// The latitude in degrees.
    pub latitude: Option<Number>,
    /// The longitude in degrees.
    pub longitude: Option<Number>,
}

debug_only!(Location);

/// A distance. The service sends either a number of kilometers or an object that also has the
/// direction.
#[derive(Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Distance {
    /// The length in kilometers.
    pub distance: Option<Number>,
    /// The direction, such as `NE`.
    pub direction: Option<String>,
}

impl<'de> Deserialize<'de> for Distance {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Members {
            distance: Option<Number>,
            direction: Option<String>,
        }

        let json: RawJson = Deserialize::deserialize(deserializer)?;
        if is_number(&json) {
            let distance = json.deserialize().map_err(D::Error::custom)?;
            return Ok(Self { distance: Some(distance), direction: None });
        }
        let Object(Members { distance, direction }) = json.deserialize().map_err(|_| {
            D::Error::custom("invalid value, expected a number or a distance and direction")
        })?;
        Ok(Self { distance, direction })
    }
}

debug_only!(Distance);
