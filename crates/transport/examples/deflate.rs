//! What would compression of the messages on a socket save, and what would it cost?
//!
//! Plays a session of fifty turns between the real client and a scripted model, and prints tables of sizes, memory and
//! time on the line. The model is scripted and the texts are ours: the service was not asked.
//!
//! `deflate` prints. `deflate pack NAME` and `deflate unpack NAME` do the work of one way once, inside the function
//! `counted`, for callgrind. Read with `docs/decisions/0008-permessage-deflate.md`.

#[path = "deflate/codec.rs"]
mod codec;
#[path = "deflate/recording.rs"]
mod recording;
#[path = "deflate/texts.rs"]
mod texts;

use std::hint::black_box;
use std::io::{self, Write};

use anyhow::{Context, Result, ensure};
use codec::{Codec, Packer, Unpacker};
use recording::{Layout, Recording, TURNS, record};

fn main() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => print_all(&runtime, &mut io::stdout().lock()),
        ["pack", name] => {
            let (recording, codec) = (runtime.block_on(record(Layout::Settings))?, named(name)?);
            counted(&mut || drop(black_box(codec.pack(&recording.up))));
            Ok(())
        }
        ["unpack", name] => {
            let (recording, codec) = (runtime.block_on(record(Layout::Settings))?, named(name)?);
            let packed = codec.pack(&recording.down)?;
            counted(&mut || drop(black_box(codec.unpack(&packed))));
            Ok(())
        }
        _ => anyhow::bail!("deflate | deflate pack NAME | deflate unpack NAME; a name is one of the first column"),
    }
}

/// What callgrind is told to count.
#[inline(never)]
fn counted(work: &mut dyn FnMut()) {
    work();
}

fn named(name: &str) -> Result<Codec> {
    Codec::ALL.into_iter().find(|codec| codec.name() == name).with_context(|| format!("no way is called `{name}`"))
}

fn print_all(runtime: &tokio::runtime::Runtime, out: &mut impl Write) -> Result<()> {
    let recordings = Layout::ALL.into_iter().map(|layout| runtime.block_on(record(layout)));
    let recordings = recordings.collect::<Result<Vec<_>>>()?;
    for recording in &recordings {
        ensure!(recording.up.len() == TURNS, "{} frames went up", recording.up.len());
    }
    print_shape(&recordings, out)?;
    let (up, down): (Side, Side) = (|recording| &recording.up, |recording| &recording.down);
    print_sizes("Up", &recordings, up, CLIENT_MASK, out)?;
    print_sizes("Down", &recordings, down, 0, out)?;
    let first = recordings.first().context("there are recordings")?;
    print_memory(first, out)?;
    print_line(&recordings, out)
}

fn head(name: &str) -> String {
    let layouts: Vec<_> = Layout::ALL.into_iter().map(Layout::name).collect();
    format!("| {name} | {} |\n|--|--|--|--|--|", layouts.join(" | "))
}

fn print_shape(recordings: &[Recording], out: &mut impl Write) -> Result<()> {
    writeln!(out, "{}", head("repeated:"))?;
    let mut row = |name: &str, value: &dyn Fn(&Recording) -> usize| {
        let cells: Vec<_> = recordings.iter().map(|recording| thousands(value(recording))).collect();
        writeln!(out, "| {name} | {} |", cells.join(" | "))
    };
    row("settings in each frame", &|recording| recording.settings)?;
    row("median frame up", &|recording| median(recording.up.iter().map(String::len)))?;
    row("largest frame up", &|recording| recording.up.iter().map(String::len).max().unwrap_or_default())?;
    row("messages down", &|recording| recording.down.len())?;
    row("of them created, in progress, completed: bytes", &|recording| {
        let whole = recording.down.iter().filter(|text| text.contains(r#""object":"response""#));
        whole.map(String::len).sum()
    })?;
    Ok(())
}

/// One side of a recording.
type Side = fn(&Recording) -> &Vec<String>;

/// What a client adds to the head of each frame.
const CLIENT_MASK: usize = 4;

/// All bytes on the line, the heads of frames included.
fn print_sizes(name: &str, recordings: &[Recording], side: Side, mask: usize, out: &mut impl Write) -> Result<()> {
    writeln!(out, "\n{}", head(&format!("{name}, bytes")))?;
    for codec in Codec::ALL {
        let mut cells = Vec::new();
        for recording in recordings {
            let messages = side(recording);
            let packed = codec.pack(messages)?;
            ensure!(codec.unpack(&packed)?.iter().eq(messages.iter().map(String::as_bytes)), "something was lost");
            let bytes: usize = packed.iter().map(|message| framed(message.len()) + mask).sum();
            cells.push(thousands(bytes));
        }
        writeln!(out, "| {} | {} |", codec.name(), cells.join(" | "))?;
    }
    Ok(())
}

fn framed(len: usize) -> usize {
    len + match len {
        0..126 => 2,
        126..65_536 => 4,
        _ => 10,
    }
}

fn print_memory(recording: &Recording, out: &mut impl Write) -> Result<()> {
    writeln!(out, "\n| memory of a connection, bytes | sending half | receiving half |\n|--|--|--|")?;
    for codec in [
        Codec::Deflate { level: 1, takeover: true },
        Codec::Deflate { level: 6, takeover: true },
        Codec::Zstd { level: 3, takeover: true },
    ] {
        let down = codec.pack(&recording.down)?;
        let (mut packer, mut unpacker) = (None, None);
        // What is still there after all messages, their own buffers gone.
        let sending = allocation_counter::measure(|| packer = busy_packer(codec, &recording.up).ok());
        let receiving = allocation_counter::measure(|| unpacker = busy_unpacker(codec, &down).ok());
        let (packer, unpacker) = (packer.context("it packs")?, unpacker.context("it unpacks")?);
        writeln!(
            out,
            "| {} | {} | {} |",
            codec.name(),
            thousands(usize::try_from(sending.bytes_current)? + packer.foreign_bytes()),
            thousands(usize::try_from(receiving.bytes_current)? + unpacker.foreign_bytes()),
        )?;
    }
    Ok(())
}

fn busy_packer(codec: Codec, messages: &[String]) -> Result<Packer> {
    let mut packer = Packer::new(codec)?;
    for message in messages {
        packer.pack(message.as_bytes())?;
    }
    Ok(packer)
}

fn busy_unpacker(codec: Codec, packed: &[Vec<u8>]) -> Result<Unpacker> {
    let mut unpacker = Unpacker::new(codec);
    for message in packed {
        unpacker.unpack(message)?;
    }
    Ok(unpacker)
}

/// How long the median frame takes to leave, and how many windows of a connection that has just begun, or rested.
fn print_line(recordings: &[Recording], out: &mut impl Write) -> Result<()> {
    writeln!(out, "\n| median frame up | bytes | ms at 10 Mbit/s | ms at 1 Gbit/s | round trips before its end |")?;
    writeln!(out, "|--|--|--|--|--|")?;
    for (layout, recording) in Layout::ALL.into_iter().zip(recordings) {
        for codec in [Codec::Plain, Codec::Deflate { level: 6, takeover: true }] {
            let bytes = median(codec.pack(&recording.up)?.iter().map(Vec::len));
            let ms = |megabits: usize| {
                let micros = bytes * 8 / megabits;
                format!("{}.{:02}", micros / 1000, micros / 10 % 100)
            };
            let (slow, fast, waits) = (ms(10), ms(1000), round_trips(bytes));
            writeln!(
                out,
                "| {}; {} | {} | {slow} | {fast} | {waits} |",
                layout.name(),
                codec.name(),
                thousands(bytes)
            )?;
        }
    }
    Ok(())
}

/// How often a message waits for word from the other end before all of it has left.
fn round_trips(bytes: usize) -> usize {
    /// Ten segments: RFC 6928.
    const FIRST_WINDOW: usize = 14_600;
    let (mut round_trips, mut window, mut sent) = (0, FIRST_WINDOW, FIRST_WINDOW);
    while sent < bytes {
        window *= 2;
        sent += window;
        round_trips += 1;
    }
    round_trips
}

fn median(sizes: impl Iterator<Item = usize>) -> usize {
    let mut sizes: Vec<_> = sizes.collect();
    sizes.sort_unstable();
    sizes.get(sizes.len() / 2).copied().unwrap_or_default()
}

fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
