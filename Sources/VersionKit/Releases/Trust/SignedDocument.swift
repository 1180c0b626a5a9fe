public import VersionKitModel

/// What a root file and a channel file have in common.
public protocol TrustDocument: Codable, Sendable, Equatable {
    /// What it is called: `root`.
    static var title: String { get }
    /// The most bytes of the document with its signatures.
    static var bytesMax: Int { get }
    /// The application that it is about.
    var application: ApplicationID { get }
    /// Its place in the row of its kind; the next one's is greater.
    var number: UInt64 { get }
    /// From this second on it does not count any more.
    var expires: UTCTime { get }
    /// Checks every rule that the types alone do not hold.
    func validate() throws(ReleaseError)
}

/// A document with its signatures, as it is in a file and on the wire: two lines, JSON each, the document and the list of
/// its signatures, with exactly one spelling.
///
/// A value without trust: ``TrustState`` says what it counts for.
public struct SignedDocument<Content: TrustDocument>: Sendable, Equatable {
    /// What was signed.
    public let content: Content
    private let payload: [UInt8]
    private var signatures: [Signature] = []

    /// A document that nobody signed yet.
    ///
    /// - Throws: ``ReleaseError`` if it breaks a rule.
    public init(_ content: Content) throws(ReleaseError) {
        try content.validate()
        self.content = content
        payload = JSON.encode(content)
    }

    /// Reads a document.
    ///
    /// - Throws: ``ReleaseError`` if it is too long, malformed, or not written in the one way.
    public init(bytes: [UInt8]) throws(ReleaseError) {
        guard bytes.count <= Content.bytesMax else {
            throw ReleaseError(
                .limitExceeded, "the \(Content.title) has more than \(Content.bytesMax) bytes", side: .publisher,
                remedy: "make a smaller one")
        }
        let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        guard lines.count == 3, lines[2].isEmpty else { throw Self.malformed("is not two lines") }
        payload = Array(lines[0])
        content = try JSON.decode(Content.self, from: payload, what: "the \(Content.title)")
        signatures = try JSON.decode([Signature].self, from: Array(lines[1]), what: "the \(Content.title)'s signatures")
        guard signatures.count <= ReleaseLimits.standard.signaturesMax else {
            throw Self.malformed("has \(signatures.count) signatures")
        }
        try content.validate()
        // A second spelling could be read otherwise by another reader, or say more than this one understands.
        guard self.bytes == bytes, JSON.encode(content) == payload else {
            throw Self.malformed("is not written as versionctl writes it, or has a key that is not known here")
        }
    }

    /// The document as it is kept and sent.
    public var bytes: [UInt8] {
        payload + [UInt8(ascii: "\n")] + JSON.encode(signatures) + [UInt8(ascii: "\n")]
    }

    /// Adds a signature. One more by the same key takes the place of the first.
    public mutating func sign(with key: PublisherKey) throws(ReleaseError) {
        try signatures.add(message, by: key)
    }

    /// Whether both say the same, whoever signed them.
    func saysTheSame(as other: Self) -> Bool { payload == other.payload }

    /// The short names of the keys that are said to have signed it.
    public var keyIDs: [String] { signatures.map(\.keyID) }

    func check(signers: SignerSet, whose: String) throws(ReleaseError) {
        try signers.check(message, signatures, what: Content.title, whose: whose)
    }

    /// What is signed: no signature made for another kind of thing fits.
    private var message: [UInt8] { Array("versionkit \(Content.title) v1\n".utf8) + payload }

    private static func malformed(_ problem: String) -> ReleaseError {
        ReleaseError(
            .malformed, "the \(Content.title) \(problem)", side: .publisher, remedy: "make it with versionctl trust")
    }
}

extension SignedDocument {
    /// Reads a document's file.
    public init(contentsOf path: String) throws(ReleaseError) {
        try self.init(bytes: Disk.readFile(path, bytesMax: Content.bytesMax))
    }

    /// Writes a document's file, so that it is the old one or the new one whatever happens.
    public func write(to path: String) throws(ReleaseError) {
        try Disk.writeAtomically(bytes, to: path, by: Disk.parent(of: path))
    }
}
