//! The check against real encodings, cut, changed and made up.

use super::samples::{decode, empty, filled};
use super::schema::{Field, Schema, Shape};
use super::{BoundsError, GROWTH, check, header, least, schema_for};
use crate::protocol::api::APIS;
use bytes::{Bytes, BytesMut};
use kafka_protocol::messages::delete_groups_response::DeletableGroupResult;
use kafka_protocol::messages::{ApiKey, DeleteGroupsResponse, HeartbeatResponse, ResponseHeader};
use kafka_protocol::protocol::Encodable;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// Every version of every response that may arrive; that of a broker which does not know our `ApiVersions` too.
fn spoken() -> Vec<(ApiKey, i16)> {
    let versions = APIS
        .iter()
        .flat_map(|api| (api.speaks.min..=api.speaks.max).map(|version| (api.key, version)));
    versions.chain([(ApiKey::ApiVersions, 0)]).collect()
}

fn schema_of(api: ApiKey, version: i16) -> &'static Schema {
    schema_for(api, version).unwrap_or_else(|| panic!("no schema of {api:?} {version}"))
}

fn samples() -> impl Strategy<Value = (ApiKey, i16, Bytes)> {
    select(spoken()).prop_flat_map(|(api, version)| {
        filled(api, version).prop_map(move |body| (api, version, body))
    })
}

/// What the check accepts is decoded to the last byte; only what is no text is left to find for decoding, and a tag before its time.
fn agrees(api: ApiKey, version: i16, body: &Bytes) -> Result<(), TestCaseError> {
    if check(api, version, body).is_ok() {
        match decode(api, version, body.clone()) {
            Ok(left) => prop_assert_eq!(left, 0),
            Err(why) => prop_assert!(
                why.contains("utf-8") || why.contains("is not valid for version"),
                "{:?} {}: {}",
                api,
                version,
                why
            ),
        }
    }
    Ok(())
}

#[test]
fn every_version_of_every_request_has_a_schema_and_a_sample() {
    for (api, version) in spoken() {
        let schema = schema_of(api, version);
        let flexible = schema.is_flexible(version);
        if api != ApiKey::ApiVersions {
            assert_eq!(
                flexible,
                api.response_header_version(version) == 1,
                "{api:?}"
            );
        }
        let _ = filled(api, version);
    }
    let known = schema_for(ApiKey::AlterConfigs, 2);
    assert!(known.is_none());
    assert_eq!(
        check(ApiKey::Fetch, 13, &[]),
        Err(BoundsError::NoSchema {
            api: ApiKey::Fetch,
            version: 13
        })
    );
}

#[test]
fn the_emptiest_response_passes() {
    for (api, version) in spoken() {
        let body = empty(api, version);
        assert_eq!(check(api, version, &body), Ok(()), "{api:?} {version}");
        assert_eq!(decode(api, version, body), Ok(0), "{api:?} {version}");
    }
}

/// Writes `field` with one element in each array, but for the array number `bad`, which claims `count` of them.
struct Liar {
    bad: usize,
    count: u32,
    met: usize,
    flexible: bool,
    version: i16,
}

impl Liar {
    /// Whether the bad array stands in what was written: it is then the last of it.
    fn shape(&mut self, shape: &Shape, out: &mut Vec<u8>) -> bool {
        if shape.fields.iter().any(|field| self.field(field, out)) {
            return true;
        }
        if self.flexible {
            out.push(u8::try_from(shape.tags.len()).unwrap());
            for (tag, field) in shape.tags {
                let mut content = Vec::new();
                let lied = self.field(field, &mut content);
                out.extend([*tag, content.len().try_into().unwrap()].map(|n| n.to_le_bytes()[0]));
                out.extend(content);
                if lied {
                    return true;
                }
            }
        }
        false
    }

    fn field(&mut self, field: &Field, out: &mut Vec<u8>) -> bool {
        match field {
            Field::Fixed(bytes) => out.resize(out.len() + bytes, 0),
            Field::Since(version, field) if self.version >= *version => {
                return self.field(field, out);
            }
            Field::Since(..) => {}
            Field::Text { .. } | Field::Bytes { .. } if self.flexible => out.push(1),
            Field::Text { .. } => out.extend([0, 0]),
            Field::Bytes { .. } => out.extend([0; 4]),
            Field::Array { of, .. } => {
                self.met += 1;
                let lies = self.met > self.bad;
                self.length(if lies { self.count } else { 1 }, out);
                if lies {
                    // room for the one element that each array around it claims
                    out.resize(out.len() + 64, 0);
                }
                return lies || self.field(of, out);
            }
            Field::Struct(shape) => return self.shape(shape, out),
        }
        false
    }

    fn length(&self, count: u32, out: &mut Vec<u8>) {
        if !self.flexible {
            out.extend(count.to_be_bytes());
            return;
        }
        let mut rest = count + 1;
        while rest >= 0x80 {
            out.push(rest.to_le_bytes()[0] | 0x80);
            rest >>= 7;
        }
        out.push(rest.to_le_bytes()[0]);
    }
}

#[test]
fn an_array_that_claims_two_thousand_million_elements_is_refused_wherever_it_stands() {
    let mut arrays = 0;
    for (api, version) in spoken() {
        let schema = schema_of(api, version);
        let flexible = schema.is_flexible(version);
        let most = if flexible { u32::MAX - 1 } else { 0x7fff_ffff };
        for count in [0x7fff_ffff, most] {
            for bad in 0.. {
                let mut body = Vec::new();
                let mut liar = Liar {
                    bad,
                    count,
                    met: 0,
                    flexible,
                    version,
                };
                if !liar.shape(schema.shape, &mut body) {
                    assert_eq!(check(api, version, &body), Ok(()), "{api:?} {version}");
                    // Produce 9 has no tag yet that is decoded
                    if (api, version) != (ApiKey::Produce, 9) {
                        assert_eq!(
                            decode(api, version, body.into()),
                            Ok(0),
                            "{api:?} {version}"
                        );
                    }
                    break;
                }
                arrays += 1;
                let refused = check(api, version, &body);
                let claimed = u64::from(count);
                assert!(
                    matches!(refused, Err(BoundsError::TooMuch { claimed: c, .. }) if c == claimed),
                    "{api:?} {version}, array {bad}: {refused:?}"
                );
            }
        }
    }
    assert!(arrays > 2 * 60, "only {arrays} arrays were tried");
}

#[test]
fn no_response_without_unknown_tags_reaches_the_limit_of_memory() {
    fn greediest(field: &Field, version: i16, flexible: bool) -> usize {
        match field {
            Field::Array { of, held, .. } => {
                let smallest = least(of, version, flexible);
                assert!(smallest > 0);
                held.div_ceil(smallest)
                    .max(greediest(of, version, flexible))
            }
            Field::Struct(shape) => {
                let tags = shape.tags.iter().map(|(_, field)| field);
                let fields = shape.fields.iter().chain(tags);
                let each = fields.map(|field| greediest(field, version, flexible));
                each.max().unwrap_or(0)
            }
            Field::Since(_, field) => greediest(field, version, flexible),
            _ => 0,
        }
    }
    for (api, version) in spoken() {
        let schema = schema_of(api, version);
        let whole = Field::Struct(schema.shape);
        let growth = greediest(&whole, version, schema.is_flexible(version));
        assert!(growth < GROWTH, "{api:?} {version}: {growth}");
    }
}

fn groups_with_a_tag_each(groups: usize, value: &'static [u8]) -> Bytes {
    let group =
        DeletableGroupResult::default().with_unknown_tagged_field(7, Bytes::from_static(value));
    let response = DeleteGroupsResponse::default().with_results(vec![group; groups]);
    let mut body = BytesMut::new();
    response.encode(&mut body, 2).unwrap();
    body.freeze()
}

#[test]
fn tagged_fields_of_a_later_kafka_pass_and_a_body_of_nothing_else_does_not() {
    let fair = groups_with_a_tag_each(1000, b"a new fact");
    assert_eq!(check(ApiKey::DeleteGroups, 2, &fair), Ok(()));
    let bloated = groups_with_a_tag_each(1000, b"");
    assert!(matches!(
        check(ApiKey::DeleteGroups, 2, &bloated),
        Err(BoundsError::Bloated { .. })
    ));
}

#[test]
fn tags_out_of_order_a_tag_of_another_size_and_an_endless_varint_are_refused() {
    let heartbeat = |tags: &[u8]| check(ApiKey::Heartbeat, 4, &[&[0; 6], tags].concat());
    assert_eq!(heartbeat(&[2, 1, 0, 2, 0]), Ok(()));
    assert_eq!(
        heartbeat(&[2, 1, 0, 1, 0]),
        Err(BoundsError::Malformed { at: 9 })
    );
    assert_eq!(
        heartbeat(&[2, 2, 0, 1, 0]),
        Err(BoundsError::Malformed { at: 9 })
    );
    assert_eq!(
        heartbeat(&[0x81, 0x80, 0x80, 0x80, 0x80, 0]),
        Err(BoundsError::Malformed { at: 6 })
    );
    // no APIs, no throttling, and tag 1: an epoch of 8 bytes that says 9
    let versions = [&[0, 0, 1, 0, 0, 0, 0, 1, 1, 9][..], &[0; 9]].concat();
    assert_eq!(
        check(ApiKey::ApiVersions, 3, &versions),
        Err(BoundsError::Malformed { at: 8 })
    );
}

#[test]
fn a_null_passes_only_where_one_may_stand() {
    // a type and a name, both null, then an assignment that is
    let sync = |assignment| {
        check(
            ApiKey::SyncGroup,
            5,
            &[0, 0, 0, 0, 0, 0, 0, 0, assignment, 0],
        )
    };
    assert_eq!(sync(1), Ok(()));
    assert_eq!(sync(0), Err(BoundsError::Null { at: 8 }));
    let delete = |count: i32| {
        check(
            ApiKey::OffsetDelete,
            0,
            &[&[0; 6][..], &count.to_be_bytes()].concat(),
        )
    };
    assert_eq!(delete(0), Ok(()));
    assert_eq!(delete(-1), Err(BoundsError::Null { at: 6 }));
    assert_eq!(delete(-2), Err(BoundsError::Malformed { at: 6 }));
}

#[test]
fn the_header_is_as_long_as_it_says() {
    let mut frame = BytesMut::new();
    let head = ResponseHeader::default().with_unknown_tagged_field(3, Bytes::from_static(b"abc"));
    head.encode(&mut frame, 1).unwrap();
    let size = frame.len();
    HeartbeatResponse::default().encode(&mut frame, 4).unwrap();
    assert_eq!(header(ApiKey::Heartbeat, 4, &frame), Ok(size));
    for cut in 0..size {
        assert!(header(ApiKey::Heartbeat, 4, &frame[..cut]).is_err());
    }
    // these have no tagged fields there, however new
    assert_eq!(header(ApiKey::ApiVersions, 3, &frame), Ok(4));
    assert_eq!(header(ApiKey::OffsetDelete, 0, &frame), Ok(4));
}

proptest! {
    #[test]
    fn what_a_broker_encodes_passes_and_is_decoded((api, version, body) in samples()) {
        prop_assert_eq!(check(api, version, &body), Ok(()));
        prop_assert_eq!(decode(api, version, body), Ok(0));
    }

    #[test]
    fn no_part_of_a_body_passes_for_a_whole_one((api, version, body) in samples()) {
        for cut in 0..body.len() {
            prop_assert!(check(api, version, &body[..cut]).is_err(), "{:?} {} at {}", api, version, cut);
        }
        let longer = [&body[..], &[0]].concat();
        let (at, left) = (body.len(), 1);
        prop_assert_eq!(check(api, version, &longer), Err(BoundsError::LeftOver { at, left }));
    }

    #[test]
    fn a_changed_body_is_refused_or_decoded_to_its_end(
        (api, version, body) in samples(),
        changes in vec((any::<Index>(), any::<u8>()), 1..4),
    ) {
        let mut body = body.to_vec();
        for (at, byte) in changes {
            let at = at.index(body.len());
            body[at] = byte;
        }
        agrees(api, version, &body.into())?;
    }

    #[test]
    fn garbage_is_refused_or_decoded_to_its_end(
        (api, version) in select(spoken()),
        body in vec(prop_oneof![0_u8..4, any::<u8>()], 0..64),
    ) {
        let _ = header(api, version, &body);
        agrees(api, version, &body.into())?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_body_with_any_one_byte_changed_is_refused_or_decoded_to_its_end((api, version, body) in samples()) {
        for at in 0..body.len() {
            for byte in [0, 1, 2, 0x7f, 0x80, 0xff] {
                let mut body = body.to_vec();
                body[at] = byte;
                agrees(api, version, &body.into())?;
            }
        }
    }
}
