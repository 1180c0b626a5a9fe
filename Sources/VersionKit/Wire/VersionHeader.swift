public import VersionKitModel

/// What a version router puts in front of the bytes of an application: who speaks, and which other version runs here.
///
/// It goes once at the beginning of a TCP connection, in each direction. `docs/wire-format.md` describes every byte and
/// holds the test vectors.
///
/// - Note: S 3.2, 3.5; R5, R6.
public struct VersionHeader: Sendable, Hashable {
    /// The application whose bytes follow.
    public var application: ApplicationID

    /// The version that sends; `nil` only on a ``Flags/control`` connection, where routers speak to each other.
    public var sender: Version?

    /// Any one of the other versions that serve on the sender's host: an advertisement. `nil`: there is none.
    public var advertised: Version?

    /// What kind of connection this is.
    public var flags: Flags

    /// Room for what later versions of VersionKit say. Unknown ones are kept and not understood.
    public var extensions: [Extension]

    /// A header; the defaults are those of an application's connection on a node with one version.
    public init(
        application: ApplicationID,
        sender: Version?,
        advertised: Version? = nil,
        flags: Flags = [],
        extensions: [Extension] = []
    ) {
        self.application = application
        self.sender = sender
        self.advertised = advertised
        self.flags = flags
        self.extensions = extensions
    }

    /// Kinds of connection. Bits that are not named here are sent as 0 and ignored.
    public struct Flags: OptionSet, Sendable, Hashable {
        public let rawValue: UInt8

        /// The flags with these bits.
        public init(rawValue: UInt8) { self.rawValue = rawValue }

        /// Router to router: no application's bytes follow, but a request for a release.
        public static let control = Flags(rawValue: 1)

        /// The sender holds its application's bytes back until it sees a header: the receiver answers with one at once,
        /// not only in front of its application's first bytes.
        public static let prompt = Flags(rawValue: 2)

        /// The flags that this code understands.
        static let known: Flags = [.control, .prompt]
    }

    /// One extension: a type, and up to 255 bytes that only it understands.
    public struct Extension: Sendable, Hashable {
        /// Types from 0x80 on are critical: a router that does not know one must refuse the connection.
        public var type: UInt8

        /// The bytes, at most 255 of them.
        public var value: [UInt8]

        /// An extension of this type.
        ///
        /// - Precondition: no more than 255 bytes.
        public init(type: UInt8, value: [UInt8]) {
            precondition(value.count <= 255, "an extension holds at most 255 bytes")
            self.type = type
            self.value = value
        }

        /// Whether a router may go on without knowing this type.
        public var isCritical: Bool { type >= 0x80 }
    }
}
