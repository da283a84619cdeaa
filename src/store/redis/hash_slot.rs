//! [`hash_slot`]: which of a cluster's 16,384 slots a key is in.

/// The slot of a key, as the [specification](https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/) has
/// it: CRC-16 (XMODEM) of what is between the first `{` and the next `}`, or of the whole key.
pub(super) fn hash_slot(key: &str) -> u16 {
    let tag = key.split_once('{').and_then(|(_, rest)| rest.split_once('}')).map(|(tag, _)| tag);
    let hashed = tag.filter(|tag| !tag.is_empty()).unwrap_or(key);
    let crc =
        hashed.bytes().fold(0_u16, |crc, byte| {
            (0..8).fold(crc ^ u16::from(byte) << 8, |crc, _| {
                if crc & 0x8000 == 0 { crc << 1 } else { crc << 1 ^ 0x1021 }
            })
        });
    crc % 16_384
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_what_redis_says() {
        // `CLUSTER KEYSLOT`; the first is the specification's own example, 0x31C3.
        for (key, slot) in [
            ("123456789", 12739),
            ("foo", 12182),
            ("bar", 5061),
            ("", 0),
            ("{foo}bar", 12182),
            ("bar{foo}{bar}", 12182),
            ("}foo{bar}", 5061),
        ] {
            assert_eq!(hash_slot(key), slot, "{key}");
        }
        assert_ne!(hash_slot("{}foo"), 12182, "an empty one is none");
        assert_ne!(hash_slot("{foo"), 12182);
    }
}
