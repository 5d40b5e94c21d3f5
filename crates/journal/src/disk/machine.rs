//! The file system of this machine.

use std::fs::{self, DirBuilder, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use super::{Disk, File, How};

/// What others may do with our files and folders: nothing.
const FILE_MODE: u32 = 0o600;
const FOLDER_MODE: u32 = 0o700;

/// The file system of this machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct Machine;

impl Disk for Machine {
    fn open(&self, path: &Path, how: How) -> io::Result<Box<dyn File>> {
        let mut options = OpenOptions::new();
        options.read(true).mode(FILE_MODE);
        match how {
            How::Read => &mut options,
            How::Write => options.write(true).create(true).truncate(false),
            How::New => options.write(true).create_new(true),
        };
        Ok(Box::new(options.open(path)?))
    }

    fn create_folder(&self, path: &Path) -> io::Result<()> {
        let missing = |folder: &&Path| !folder.as_os_str().is_empty() && !folder.exists();
        let made: Vec<_> = path.ancestors().take_while(missing).collect();
        DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(path)?;
        made.iter().filter_map(|folder| folder.parent()).try_for_each(|above| self.sync_folder(above))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn remove_folder(&self, path: &Path) -> io::Result<()> {
        fs::remove_dir_all(path)
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        // What stands above a bare name is the folder where we are.
        let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        fs::File::open(path)?.sync_all()
    }
}

impl File for fs::File {
    fn read_at(&self, at: u64, into: &mut [u8]) -> io::Result<usize> {
        let mut read = 0;
        while let Some(rest) = into.get_mut(read..).filter(|rest| !rest.is_empty()) {
            match std::os::unix::fs::FileExt::read_at(self, rest, at + read as u64) {
                Ok(0) => break,
                Ok(count) => read += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(read)
    }

    fn write_at(&self, at: u64, bytes: &[u8]) -> io::Result<()> {
        self.write_all_at(bytes, at)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        Self::set_len(self, len)
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }

    fn is_named(&self, path: &Path) -> io::Result<bool> {
        let named = match fs::metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            named => named?,
        };
        let this = self.metadata()?;
        Ok((this.dev(), this.ino()) == (named.dev(), named.ino()))
    }

    fn try_lock(&self) -> io::Result<bool> {
        match Self::try_lock(self) {
            Ok(()) => Ok(true),
            Err(TryLockError::WouldBlock) => Ok(false),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    fn lock(&self) -> io::Result<()> {
        Self::lock(self)
    }

    fn unlock(&self) -> io::Result<()> {
        Self::unlock(self)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use tempfile::TempDir;

    use super::*;

    #[test]
    fn what_is_made_is_its_owners_alone() {
        let above = TempDir::new().unwrap();
        let folder = above.path().join("one/two");
        Machine.create_folder(&folder).unwrap();
        Machine.create_folder(&folder).unwrap();
        let file = folder.join("file");
        Machine.open(&file, How::New).unwrap().write_at(3, b"text").unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&folder), mode(&above.path().join("one")), mode(&file)), (0o700, 0o700, 0o600));
        assert!(Machine.open(&file, How::New).is_err(), "it is there already");
        let mut read = [1; 9];
        assert_eq!(Machine.open(&file, How::Read).unwrap().read_at(0, &mut read).unwrap(), 7);
        assert_eq!(&read[..7], b"\0\0\0text");
    }

    #[test]
    fn the_folder_of_a_bare_name_is_the_one_where_we_are() {
        Machine.sync_folder(Path::new("log").parent().unwrap()).unwrap();
    }
}
