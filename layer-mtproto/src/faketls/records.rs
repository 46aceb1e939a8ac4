//! The record layer after the hellos: bytes in and out of records of application data.

use std::fmt;

use bytes::BufMut;

use super::{
    ALERT, APPLICATION_DATA, CHANGE_CIPHER_SPEC, CHANGE_CIPHER_SPEC_RECORD, FakeTlsError, HEADER,
    MAX_TAKEN, MAX_WRITTEN,
};

/// The records of one connection, for a [`Codec`](crate::transport::Codec::within) or an
/// [`Acceptor`](crate::transport::Acceptor::within) to put its bytes in.
///
/// A record's payload is handed on as it comes, so that no more than a header is ever kept.
pub struct Records {
    /// A client sends its ChangeCipherSpec with its first record.
    announce: bool,
    /// One ChangeCipherSpec may come before the first data.
    announcement_due: bool,
    state: State,
    /// What came together with the hello.
    early: Vec<u8>,
    failed: Option<FakeTlsError>,
}

enum State {
    /// So many bytes of a header are here.
    Header { seen: usize, header: [u8; HEADER] },
    /// So many bytes of application data are due.
    Data { left: usize },
    /// The byte of a ChangeCipherSpec is due.
    ChangeCipherSpec,
    /// The two bytes of an alert are due; only the second means anything here.
    Alert { level_seen: bool },
}

const BETWEEN: State = State::Header {
    seen: 0,
    header: [0; HEADER],
};

impl Records {
    pub(super) fn client(early: Vec<u8>) -> Self {
        Self {
            announce: true,
            // The server's came with its hello.
            announcement_due: false,
            ..Self::server(early)
        }
    }

    pub(super) fn server(early: Vec<u8>) -> Self {
        Self {
            // The hello's answer holds it.
            announce: false,
            announcement_due: true,
            state: BETWEEN,
            early,
            failed: None,
        }
    }

    /// What came of the other side's records already.
    pub(crate) fn take_early(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.early)
    }

    /// Appends to `data` what the records in `bytes` hold.
    ///
    /// # Errors
    /// If they are other records than may come here; what came before them is in `data`. The error is repeated
    /// from then on.
    pub(crate) fn open(
        &mut self,
        bytes: &[u8],
        data: &mut impl BufMut,
    ) -> Result<(), FakeTlsError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let opened = self.advance(bytes, data);
        if let Err(error) = &opened {
            self.failed = Some(error.clone());
        }
        opened
    }

    fn advance(&mut self, mut bytes: &[u8], data: &mut impl BufMut) -> Result<(), FakeTlsError> {
        loop {
            match &mut self.state {
                State::Data { left } => {
                    let (payload, rest) = bytes.split_at(bytes.len().min(*left));
                    data.put_slice(payload);
                    *left -= payload.len();
                    bytes = rest;
                    if *left > 0 {
                        return Ok(());
                    }
                    self.state = BETWEEN;
                }
                _ => {
                    let Some((&byte, rest)) = bytes.split_first() else {
                        return Ok(());
                    };
                    bytes = rest;
                    self.take(byte)?;
                }
            }
        }
    }

    /// Takes a byte that is no application data.
    fn take(&mut self, byte: u8) -> Result<(), FakeTlsError> {
        match &mut self.state {
            State::Header { seen, header } => {
                if let Some(place) = header.get_mut(*seen) {
                    *place = byte;
                }
                *seen += 1;
                if *seen == HEADER {
                    let header = *header;
                    self.state = self.begin(header)?;
                }
            }
            State::ChangeCipherSpec if byte == 1 => self.state = BETWEEN,
            State::ChangeCipherSpec => {
                return Err(FakeTlsError::Record {
                    kind: CHANGE_CIPHER_SPEC,
                    version: 0x0303,
                    length: 1,
                });
            }
            State::Alert { level_seen: true } => {
                return Err(FakeTlsError::Alert { description: byte });
            }
            State::Alert { level_seen } => *level_seen = true,
            State::Data { .. } => {}
        }
        Ok(())
    }

    /// What a record with this header is to be read as.
    fn begin(&mut self, header: [u8; HEADER]) -> Result<State, FakeTlsError> {
        let [kind, major, minor, high, low] = header;
        let version = u16::from_be_bytes([major, minor]);
        let length = usize::from(u16::from_be_bytes([high, low]));
        match (kind, version, length) {
            (APPLICATION_DATA, 0x0303, ..=MAX_TAKEN) => {
                self.announcement_due = false;
                Ok(State::Data { left: length })
            }
            (CHANGE_CIPHER_SPEC, 0x0303, 1) if self.announcement_due => {
                self.announcement_due = false;
                Ok(State::ChangeCipherSpec)
            }
            (ALERT, 0x0303, 2) => Ok(State::Alert { level_seen: false }),
            _ => Err(FakeTlsError::Record {
                kind,
                version,
                length,
            }),
        }
    }

    /// Puts `packet[start..]` into records: one, unless it is too long for it. Some clients look for no more than
    /// one frame in a record, so that each frame is sealed by itself.
    pub(crate) fn seal(&mut self, packet: &mut Vec<u8>, start: usize) {
        let data = packet.split_off(start.min(packet.len()));
        let records = data.len().div_ceil(MAX_WRITTEN);
        packet.reserve(data.len() + records * HEADER + CHANGE_CIPHER_SPEC_RECORD.len());
        if std::mem::take(&mut self.announce) {
            packet.extend_from_slice(&CHANGE_CIPHER_SPEC_RECORD);
        }
        for payload in data.chunks(MAX_WRITTEN) {
            // No chunk is longer than 16 KiB.
            let length = u16::try_from(payload.len()).unwrap_or_default();
            packet.extend_from_slice(&[APPLICATION_DATA, 3, 3]);
            packet.extend_from_slice(&length.to_be_bytes());
            packet.extend_from_slice(payload);
        }
    }
}

impl fmt::Debug for Records {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Records").finish_non_exhaustive()
    }
}
