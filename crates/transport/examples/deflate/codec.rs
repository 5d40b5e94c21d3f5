//! The ways to make a sequence of messages smaller.

use anyhow::{Result, anyhow, ensure};
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};
use zstd::zstd_safe::zstd_sys::ZSTD_EndDirective::{ZSTD_e_end, ZSTD_e_flush};
use zstd::zstd_safe::{CCtx, CParameter, DCtx, InBuffer, OutBuffer, get_error_name};

/// What RFC 7692 takes from the end of a message, and puts back.
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];

/// More than any message here becomes.
const ROOM: usize = 1 << 20;

/// One way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Codec {
    /// None.
    Plain,
    /// permessage-deflate at its largest window, 32 KiB.
    Deflate { level: u32, takeover: bool },
    /// No extension of WebSocket has it. With takeover it is one stream that is flushed after each message.
    Zstd { level: i32, takeover: bool },
}

impl Codec {
    pub(crate) const ALL: [Self; 8] = [
        Self::Plain,
        Self::Deflate { level: 1, takeover: false },
        Self::Deflate { level: 6, takeover: false },
        Self::Deflate { level: 1, takeover: true },
        Self::Deflate { level: 6, takeover: true },
        Self::Zstd { level: 3, takeover: false },
        Self::Zstd { level: 1, takeover: true },
        Self::Zstd { level: 3, takeover: true },
    ];

    pub(crate) fn name(self) -> String {
        let with = |takeover| if takeover { "takeover" } else { "each message alone" };
        match self {
            Self::Plain => "none".to_owned(),
            Self::Deflate { level, takeover } => format!("deflate {level}, {}", with(takeover)),
            Self::Zstd { level, takeover } => format!("zstd {level}, {}", with(takeover)),
        }
    }

    /// All messages as they travel, without the heads of their frames.
    pub(crate) fn pack(self, messages: &[String]) -> Result<Vec<Vec<u8>>> {
        let mut packer = Packer::new(self)?;
        messages.iter().map(|message| packer.pack(message.as_bytes())).collect()
    }

    /// And back.
    pub(crate) fn unpack(self, packed: &[Vec<u8>]) -> Result<Vec<Vec<u8>>> {
        let mut unpacker = Unpacker::new(self);
        packed.iter().map(|message| unpacker.unpack(message)).collect()
    }
}

/// The sending half.
pub(crate) enum Packer {
    Plain,
    Deflate { state: Compress, takeover: bool },
    Zstd { state: CCtx<'static>, takeover: bool },
}

impl Packer {
    pub(crate) fn new(codec: Codec) -> Result<Self> {
        Ok(match codec {
            Codec::Plain => Self::Plain,
            Codec::Deflate { level, takeover } => {
                Self::Deflate { state: Compress::new(Compression::new(level), false), takeover }
            }
            Codec::Zstd { level, takeover } => {
                let mut state = CCtx::create();
                state.set_parameter(CParameter::CompressionLevel(level)).map_err(zstd_error)?;
                Self::Zstd { state, takeover }
            }
        })
    }

    pub(crate) fn pack(&mut self, message: &[u8]) -> Result<Vec<u8>> {
        match self {
            Self::Plain => Ok(message.to_vec()),
            Self::Deflate { state, takeover } => {
                let mut packed = Vec::with_capacity(message.len() + 64);
                let before = state.total_in();
                loop {
                    let read = usize::try_from(state.total_in() - before)?;
                    let rest = message.get(read..).unwrap_or_default();
                    state.compress_vec(rest, &mut packed, FlushCompress::Sync)?;
                    // Room that is left says that everything was flushed.
                    if packed.len() < packed.capacity() {
                        break;
                    }
                    packed.reserve(message.len() + 64);
                }
                ensure!(packed.ends_with(&TAIL), "a flushed message ends with an empty block");
                packed.truncate(packed.len() - TAIL.len());
                if !*takeover {
                    state.reset();
                }
                Ok(packed)
            }
            Self::Zstd { state, takeover } => {
                let mut packed = Vec::with_capacity(ROOM);
                let directive = if *takeover { ZSTD_e_flush } else { ZSTD_e_end };
                let (mut from, mut to) = (InBuffer::around(message), OutBuffer::around(&mut packed));
                let left = state.compress_stream2(&mut to, &mut from, directive).map_err(zstd_error)?;
                ensure!(left == 0, "a message is larger than the room for it");
                Ok(packed)
            }
        }
    }

    /// What the C library has allocated. What Rust has is counted by the allocator.
    pub(crate) fn foreign_bytes(&self) -> usize {
        match self {
            Self::Plain | Self::Deflate { .. } => 0,
            Self::Zstd { state, .. } => state.sizeof(),
        }
    }
}

/// The receiving half.
pub(crate) enum Unpacker {
    Plain,
    Deflate { state: Decompress, takeover: bool },
    Zstd { state: DCtx<'static> },
}

impl Unpacker {
    pub(crate) fn new(codec: Codec) -> Self {
        match codec {
            Codec::Plain => Self::Plain,
            Codec::Deflate { takeover, .. } => Self::Deflate { state: Decompress::new(false), takeover },
            Codec::Zstd { .. } => Self::Zstd { state: DCtx::create() },
        }
    }

    pub(crate) fn unpack(&mut self, packed: &[u8]) -> Result<Vec<u8>> {
        match self {
            Self::Plain => Ok(packed.to_vec()),
            Self::Deflate { state, takeover } => {
                let mut text = Vec::with_capacity(packed.len() * 4 + 64);
                for part in [packed, &TAIL] {
                    inflate(state, part, &mut text)?;
                }
                if !*takeover {
                    state.reset(false);
                }
                Ok(text)
            }
            Self::Zstd { state } => {
                let mut text = Vec::with_capacity(ROOM);
                let mut from = InBuffer::around(packed);
                while from.pos() < packed.len() {
                    let at = text.len();
                    let mut to = OutBuffer::around_pos(&mut text, at);
                    state.decompress_stream(&mut to, &mut from).map_err(zstd_error)?;
                }
                Ok(text)
            }
        }
    }

    pub(crate) fn foreign_bytes(&self) -> usize {
        match self {
            Self::Plain | Self::Deflate { .. } => 0,
            Self::Zstd { state } => state.sizeof(),
        }
    }
}

fn inflate(state: &mut Decompress, part: &[u8], text: &mut Vec<u8>) -> Result<()> {
    let before = state.total_in();
    loop {
        let read = usize::try_from(state.total_in() - before)?;
        let (rest, written) = (part.get(read..).unwrap_or_default(), text.len());
        state.decompress_vec(rest, text, FlushDecompress::Sync)?;
        // Room that is left does not say that everything came out: nothing more that comes does.
        let is_stuck = text.len() == written && text.len() < text.capacity();
        if is_stuck && rest.is_empty() {
            return Ok(());
        }
        if text.len() == text.capacity() {
            text.reserve(text.len().max(64));
        }
    }
}

fn zstd_error(code: usize) -> anyhow::Error {
    anyhow!("{}", get_error_name(code))
}
