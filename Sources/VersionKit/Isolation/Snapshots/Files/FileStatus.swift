import Glibc

/// What tells whether a file is still the one that was copied.
///
/// Every change of bytes, owner, mode, attributes, names or size sets ``changed``, which no program can set otherwise. So
/// two that are equal, the older of which is from well before the clock of its file system showed ``changed``, are of a file
/// that nobody touched in between: ``SteadyFiles``.
struct FileStatus: Hashable {
    let id: FileID
    let mode: mode_t
    let links: nlink_t
    let user: uid_t
    let group: gid_t
    let device: dev_t
    let size: off_t
    let modified: FileTime
    let changed: FileTime

    var kind: mode_t { mode & S_IFMT }
    var isDirectory: Bool { kind == S_IFDIR }
    /// Whether it may have other names.
    var isShared: Bool { !isDirectory && links > 1 }

    /// Whether this is of the same file. Numbers of files that were removed are used again, soon by some file systems.
    func isSameFile(_ other: FileStatus) -> Bool { id == other.id && kind == other.kind }
}

extension FileStatus {
    init(_ info: stat) {
        id = FileID(device: info.st_dev, number: info.st_ino)
        mode = info.st_mode
        links = info.st_nlink
        user = info.st_uid
        group = info.st_gid
        device = info.st_rdev
        size = info.st_size
        modified = FileTime(info.st_mtim)
        changed = FileTime(info.st_ctim)
    }
}

/// A file, whatever its names are.
struct FileID: Hashable {
    let device: dev_t
    let number: ino_t
}

/// A time by the clock of a file system.
struct FileTime: Hashable, Comparable {
    var seconds: Int
    var nanoseconds = 0

    static func < (left: FileTime, right: FileTime) -> Bool {
        (left.seconds, left.nanoseconds) < (right.seconds, right.nanoseconds)
    }
}

extension FileTime {
    init(_ time: timespec) { self.init(seconds: time.tv_sec, nanoseconds: time.tv_nsec) }
}

/// By what it is told that a file did not change since it was copied.
struct SteadyFiles: Hashable {
    /// The file system for which that is known.
    let device: dev_t
    /// What was changed from here on may have changed again without being seen.
    let since: FileTime

    /// Whether a copy that was made when a file's status was the older one is still good when it is the newer one.
    func isSteady(_ older: FileStatus, _ newer: FileStatus) -> Bool { older == newer && isSteady(newer) }

    /// Whether a copy that is made now will be good for as long as the status stays.
    func isSteady(_ status: FileStatus) -> Bool { status.id.device == device && status.changed < since }
}
