public import ONCRPC

/// How a procedure of NFS ended (RFC 1813, section 2.6, `nfsstat3`).
public enum NFSStatus: UInt32, XDREnumeration, Hashable, CaseIterable {
    /// Done.
    case ok = 0
    /// Only the owner may.
    case notOwner = 1
    /// There is no such file.
    case noEntry = 2
    /// The device failed.
    case io = 5
    /// There is no such device.
    case noDevice = 6
    /// This caller may not.
    case access = 13
    /// The file is there already.
    case exists = 17
    /// It would go over to another device.
    case crossDevice = 18
    /// There is no such kind of device.
    case noSuchDevice = 19
    /// Not a directory.
    case notDirectory = 20
    /// A directory.
    case isDirectory = 21
    /// Arguments that make no sense.
    case invalid = 22
    /// A file would be too large.
    case tooLarge = 27
    /// The device is full.
    case noSpace = 28
    /// The file system can only be read.
    case readOnly = 30
    /// Too many hard links.
    case tooManyLinks = 31
    /// A name is too long.
    case nameTooLong = 63
    /// The directory is not empty.
    case notEmpty = 66
    /// The quota is used up.
    case quota = 69
    /// The handle was valid, and is no more.
    case stale = 70
    /// Too many levels between here and there.
    case remote = 71
    /// The handle was never valid.
    case badHandle = 10_001
    /// The file is another one than the caller thought.
    case notSynchronized = 10_002
    /// The cookie is of another directory, or another time.
    case badCookie = 10_003
    /// The server does not do this.
    case notSupported = 10_004
    /// There is no room for even one entry.
    case tooSmall = 10_005
    /// The server failed in a way that is not listed here.
    case serverFault = 10_006
    /// The server cannot make files of this kind.
    case badType = 10_007
    /// Not now; the caller may ask again.
    case later = 10_008
}

/// The end of a procedure: a union of the status.
public enum NFSResult<Success: XDRCodable & Hashable, Failure: XDRCodable & Hashable>: XDRCodable, Hashable {
    /// Done.
    case done(Success)
    /// Not done; never ``NFSStatus/ok``.
    case failed(NFSStatus, Failure)

    /// Reads the union.
    public init(from reader: inout XDRReader) throws(XDRError) {
        let status: NFSStatus = try reader.read()
        self = status == .ok ? .done(try reader.read()) : .failed(status, try reader.read())
    }

    /// Writes the union.
    ///
    /// - Throws: `XDRError` if it failed with OK.
    public func write(to writer: inout XDRWriter) throws(XDRError) {
        switch self {
        case .done(let success):
            try writer.write(NFSStatus.ok)
            try writer.write(success)
        case .failed(let status, let failure):
            guard status != .ok else { throw XDRError(.invalid("a failure that is none"), at: writer.offset) }
            try writer.write(status)
            try writer.write(failure)
        }
    }
}

/// The end of a procedure that changes something, as a server ends it whose files can only be read: a status that is not OK.
public struct NFSRefusal<Failure: XDRCodable & Hashable>: XDRCodable, Hashable {
    /// Why.
    public var status: NFSStatus
    /// What the procedure says besides.
    public var failure: Failure

    /// A refusal.
    public init(_ status: NFSStatus, _ failure: Failure) {
        self.status = status
        self.failure = failure
    }

    /// Reads the union.
    ///
    /// - Throws: `XDRError`; also if it was done after all.
    public init(from reader: inout XDRReader) throws(XDRError) {
        let offset = reader.offset
        status = try reader.read()
        guard status != .ok else { throw XDRError(.invalid("a change of what can only be read"), at: offset) }
        failure = try reader.read()
    }

    /// Writes the union.
    ///
    /// - Throws: `XDRError` if the status is OK.
    public func write(to writer: inout XDRWriter) throws(XDRError) {
        guard status != .ok else {
            throw XDRError(.invalid("a change of what can only be read"), at: writer.offset)
        }
        try writer.write(status)
        try writer.write(failure)
    }
}
