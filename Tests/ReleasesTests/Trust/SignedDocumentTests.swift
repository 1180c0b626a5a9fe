import Foundation
import Testing
import VersionKitModel
import VersionKitReleases

@Suite("Roots and channels as bytes")
struct SignedDocumentTests {
    @Test("they are two lines of JSON, and read as they were written")
    func roundTrip() throws {
        let publishers = try Publishers()
        let root = try publishers.root()
        #expect(try SignedDocument<TrustRoot>(bytes: root.bytes) == root)
        let channel = try publishers.channel(7, withdrawn: [2])
        #expect(try SignedDocument<ReleaseChannel>(bytes: channel.bytes) == channel)
        let lines = String(decoding: channel.bytes, as: UTF8.self).split(separator: "\n")
        #expect(lines.count == 2)
        #expect(
            lines[0].hasPrefix(
                #"{"application":"irislog","expires":"2027-01-15T08:01:40Z","format":1,"number":7,"releases":["#))
    }

    @Test("with any byte changed, taken away or doubled they are nothing that a node accepts")
    func tampered() throws {
        let publishers = try Publishers()
        let state = try publishers.state()
        let (root, channel) = (try publishers.root(2).bytes, try publishers.channel(1).bytes)
        for index in root.indices {
            for changed in damaged(root, at: index) {
                var state = state
                #expect(code { () throws(ReleaseError) in try state.accept(SignedDocument(bytes: changed)) } != nil)
                #expect(state.numbers.root == 1)
            }
        }
        for index in channel.indices {
            for changed in damaged(channel, at: index) {
                var state = state
                #expect(
                    code { () throws(ReleaseError) in
                        try state.accept(SignedDocument(bytes: changed), at: Publishers.now)
                    } != nil)
                #expect(state.channel == nil)
            }
        }
    }

    private func damaged(_ bytes: [UInt8], at index: Int) -> [[UInt8]] {
        var (low, high, shorter, longer) = (bytes, bytes, bytes, bytes)
        low[index] ^= 1
        high[index] ^= 0x20
        shorter.remove(at: index)
        longer.insert(bytes[index], at: index)
        return [low, high, shorter, longer, Array(bytes[..<index])]
    }

    @Test("a second spelling, an unknown key, or a third line is refused")
    func spellings() throws {
        let text = String(decoding: try Publishers().root().bytes, as: UTF8.self)
        for changed in [
            text.replacingOccurrences(of: #"{"application""#, with: #"{ "application""#),
            text.replacingOccurrences(of: #""format":1"#, with: #""format":1,"more":1"#),
            text.replacingOccurrences(of: #""format":1"#, with: #""format":1,"format":1"#),
            text.replacingOccurrences(of: #""format":1"#, with: #""format":2"#),
            text + "\n", text + "[]\n", "", "\n", "\n\n",
        ] {
            #expect(
                code { () throws(ReleaseError) in _ = try SignedDocument<TrustRoot>(bytes: Array(changed.utf8)) }
                    == .malformed)
        }
    }

    @Test("what is too long is refused before it is read")
    func tooLong() {
        let bytes = [UInt8](repeating: UInt8(ascii: "["), count: ReleaseChannel.bytesMax + 1)
        #expect(
            code { () throws(ReleaseError) in _ = try SignedDocument<ReleaseChannel>(bytes: bytes) } == .limitExceeded)
        #expect(
            code { () throws(ReleaseError) in _ = try SignedDocument<TrustRoot>(bytes: bytes) } == .limitExceeded)
    }

    @Test("a channel is no root, and the signature of one does not fit the other")
    func kinds() throws {
        let publishers = try Publishers()
        let channel = try publishers.channel(2).bytes
        #expect(
            code { () throws(ReleaseError) in _ = try SignedDocument<TrustRoot>(bytes: channel) } == .malformed)
        // The payload of one with the signatures of another.
        let parts = [try publishers.root(2).bytes, channel].map { $0.split(separator: 10) }
        let mixed = Array(parts[0][0]) + [10] + Array(parts[1][1]) + [10]
        var state = try publishers.state()
        #expect(
            code { () throws(ReleaseError) in try state.accept(SignedDocument<TrustRoot>(bytes: mixed)) }
                == .badSignature)
    }

    @Test("a root that could never be satisfied cannot be written")
    func unsoundRoots() throws {
        let publishers = try Publishers()
        let application = publishers.application
        let key = publishers.keys[0].publicKey
        for (threshold, keys, number) in [
            (0, [key], 1), (2, [key], 1), (1, [], 1), (2, [key, key], 1), (1, [key], 0), (1, [key], 1001),
        ] as [(Int, [PublisherPublicKey], UInt64)] {
            let root = TrustRoot(
                application: application, number: number, expires: Publishers.now, threshold: threshold, keys: keys)
            #expect(code { () throws(ReleaseError) in _ = try SignedDocument(root) } == .malformed)
        }
    }

    @Test("a channel lists each version once, in order, and why one was withdrawn")
    func unsoundChannels() throws {
        let publishers = try Publishers()
        let digest = try publishers.digest(1)
        func channel(_ releases: [ReleaseChannel.Release]) -> ReleaseError.Code? {
            let channel = ReleaseChannel(
                application: publishers.application, number: 1, expires: Publishers.now, releases: releases)
            return code { () throws(ReleaseError) in _ = try SignedDocument(channel) }
        }
        #expect(channel([.init(version: 1, manifest: digest), .init(version: 2, manifest: digest)]) == nil)
        #expect(channel([.init(version: 2, manifest: digest), .init(version: 1, manifest: digest)]) == .malformed)
        #expect(channel([.init(version: 1, manifest: digest), .init(version: 1, manifest: digest)]) == .malformed)
        #expect(channel([.init(version: 1, manifest: digest, withdrawnFor: "two\nlines")]) == .malformed)
        #expect(
            channel([.init(version: 1, manifest: digest, withdrawnFor: String(repeating: "a", count: 201))])
                == .malformed)
        let many = (1...65 as ClosedRange<UInt32>).compactMap(Version.init).map {
            ReleaseChannel.Release(version: $0, manifest: digest)
        }
        #expect(channel(many) == .malformed)
        #expect(channel(many.dropLast()) == nil)
    }

    @Test("a version is offered with one manifest, and once withdrawn never again")
    func offering() throws {
        let publishers = try Publishers()
        var channel = ReleaseChannel(application: publishers.application, number: 1, expires: Publishers.now)
        try channel.offer(1, manifest: publishers.digest(1))
        try channel.offer(1, manifest: publishers.digest(1))
        let other = try publishers.digest(2)
        #expect(code { () throws(ReleaseError) in try channel.offer(1, manifest: other) } == .conflict)
        #expect(code { () throws(ReleaseError) in try channel.withdraw(2, reason: "no") } == .notFound)
        try channel.withdraw(1, reason: "loses writes")
        let same = try publishers.digest(1)
        #expect(code { () throws(ReleaseError) in try channel.offer(1, manifest: same) } == .conflict)
        #expect(channel.withdrawn == [1: "loses writes"])
    }
}
