public import VersionKitModel

/// A release as the store has it: the manifest, and the exact bytes to hand on to other nodes.
public struct StoredRelease: Sendable, Equatable {
    /// What the release is.
    public let manifest: ReleaseManifest
    /// The bytes that were signed.
    public let manifestBytes: [UInt8]
    /// The signature file.
    public let signatureBytes: [UInt8]
}

/// What a store holds.
public struct ReleaseListing: Sendable {
    /// The releases, by application and version.
    public var releases: [StoredRelease] = []
    /// What is there but cannot be read; a damaged release does not hide the others.
    public var damaged: [ReleaseError] = []
}

extension ReleaseStore {
    /// Keeps a manifest, if a pinned publisher signed it. Its layers may come before or after.
    ///
    /// Keeping the same manifest again is no error, and renews the signature file. Another manifest for the same
    /// version is one: a version is published once.
    ///
    /// - Returns: The manifest.
    @discardableResult
    public func add(
        manifestBytes: [UInt8], signatureBytes: [UInt8], trust: TrustPolicy
    ) throws(ReleaseError) -> ReleaseManifest {
        let manifest = try trust.verify(manifestBytes: manifestBytes, signatureBytes: signatureBytes)
        try withChanges { () throws(ReleaseError) in
            try keep(manifest, manifestBytes, signatureBytes)
        }
        return manifest
    }

    private func keep(
        _ manifest: ReleaseManifest, _ manifestBytes: [UInt8], _ signatureBytes: [UInt8]
    ) throws(ReleaseError) {
        let target = manifestDirectory(manifest.application, manifest.version)
        if try Disk.kind(of: target) != nil {
            let present = try Disk.readFile("\(target)/\(ReleaseFiles.manifest)", bytesMax: limits.manifestBytesMax)
            guard present == manifestBytes else {
                throw ReleaseError(
                    .conflict, "version \(manifest.version) of \(manifest.application) is here with other content",
                    side: .publisher, remedy: "publish changes under a new version, or remove this one first")
            }
            try Disk.writeAtomically(signatureBytes, to: "\(target)/\(ReleaseFiles.signature)", by: incoming)
            return
        }
        let application = Disk.parent(of: target)
        guard try Disk.names(in: application).count < limits.releasesMax else {
            throw ReleaseError(
                .limitExceeded, "this node keeps \(limits.releasesMax) releases of \(manifest.application) already",
                side: .node, isRetrySafe: true, remedy: "remove one that is not needed any more")
        }
        try Disk.makeDirectory(application)
        let temporary = try Disk.makeTemporaryDirectory(in: incoming)
        do throws(ReleaseError) {
            try Disk.setMode(temporary, 0o755)
            try Disk.writeAtomically(manifestBytes, to: "\(temporary)/\(ReleaseFiles.manifest)", by: temporary)
            try Disk.writeAtomically(signatureBytes, to: "\(temporary)/\(ReleaseFiles.signature)", by: temporary)
            try Disk.move(temporary, to: target)
        } catch {
            // The first error is the one to report; what stays behind is swept at the next opening.
            try? Disk.removeTree(temporary)
            throw error
        }
        try Disk.flushDirectory(application)
        try Disk.flushDirectory(Disk.parent(of: application))
    }

    /// The release of this version.
    ///
    /// - Throws: ``ReleaseError``, `notFound` if the store does not have it.
    public func release(_ application: ApplicationID, _ version: Version) throws(ReleaseError) -> StoredRelease {
        let directory = manifestDirectory(application, version)
        guard try Disk.kind(of: directory) != nil else {
            throw ReleaseError(
                .notFound, "version \(version) of \(application) is not in the store", side: .node, isRetrySafe: true,
                remedy: "publish it, or fetch it from a node that has it")
        }
        let manifestBytes = try Disk.readFile(
            "\(directory)/\(ReleaseFiles.manifest)", bytesMax: limits.manifestBytesMax)
        let signatureBytes = try Disk.readFile(
            "\(directory)/\(ReleaseFiles.signature)", bytesMax: limits.signatureBytesMax)
        let manifest = try ReleaseManifest(jsonBytes: manifestBytes, limits: limits)
        guard manifest.application == application, manifest.version == version else {
            throw ReleaseError(
                .malformed, "\(directory) holds version \(manifest.version) of \(manifest.application)", side: .node,
                remedy: "remove that directory")
        }
        return StoredRelease(manifest: manifest, manifestBytes: manifestBytes, signatureBytes: signatureBytes)
    }

    /// All releases, whether their layers are complete or not.
    public func releases() throws(ReleaseError) -> ReleaseListing {
        var listing = ReleaseListing()
        for name in try Disk.names(in: "\(root)/manifests") {
            guard let application = ApplicationID(rawValue: name) else { continue }
            for version in try Disk.names(in: "\(root)/manifests/\(name)").compactMap(Version.init(_:)).sorted() {
                do throws(ReleaseError) {
                    listing.releases.append(try release(application, version))
                } catch {
                    listing.damaged.append(error)
                }
            }
        }
        return listing
    }
}
