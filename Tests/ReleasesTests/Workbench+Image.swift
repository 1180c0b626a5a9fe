import Testing

@testable import VersionKitReleases

/// Images in OCI layout, as builders write them.
extension Workbench {
    static let imageLayer = "application/vnd.oci.image.layer.v1.tar"
    private static let manifest = "application/vnd.oci.image.manifest.v1+json"

    #if arch(x86_64)
        static let architecture = "amd64"
    #else
        static let architecture = "arm64"
    #endif

    /// Writes an image to `image`; the digests of its first layer, its manifest and its configuration.
    ///
    /// - Parameter settings: what the image says of how it is started, as JSON.
    @discardableResult
    func writeImage(
        _ layers: [[UInt8]], packing: String? = nil, architecture: String = Workbench.architecture,
        mediaType: String = Workbench.imageLayer,
        settings: String = #"{"Entrypoint": ["/bin/app"], "Cmd": ["serve"], "Env": ["MODE=test"], "User": "app"}"#
    ) async throws -> [String: String] {
        var digests: [String: String] = [:]
        var descriptors: [String] = []
        var plain: [String] = []
        for layer in layers {
            plain.append("\"sha256:\(try await sha256(layer))\"")
            var bytes = layer
            if packing == "gzip" {
                try write(layer, to: "layer.tar")
                _ = try await runner.run("gzip", ["-f", path("layer.tar")])
                bytes = try read("layer.tar.gz")
            } else if packing == "zstd" {
                bytes = try zstd(layer)
            }
            let digest = try await blob(bytes)
            if digests["layer"] == nil { digests["layer"] = digest }
            descriptors.append(descriptor(mediaType + (packing.map { "+" + $0 } ?? ""), digest, bytes.count))
        }
        let configuration = """
            {"config": \(settings), "rootfs": {"type": "layers", "diff_ids": [\(plain.joined(separator: ","))]}}
            """
        let config = try await blob(Array(configuration.utf8))
        digests["config"] = config
        let manifest = """
            {"config": \(descriptor("application/vnd.oci.image.config.v1+json", config, configuration.utf8.count)),
            "layers": [\(descriptors.joined(separator: ","))]}
            """
        let digest = try await blob(Array(manifest.utf8))
        digests["manifest"] = digest
        let platform = "\"platform\": {\"os\": \"linux\", \"architecture\": \"\(architecture)\"}"
        try write("{\"imageLayoutVersion\": \"1.0.0\"}", to: "image/oci-layout")
        try write(
            "{\"manifests\": [\(descriptor(Self.manifest, digest, manifest.utf8.count, platform))]}",
            to: "image/index.json")
        return digests
    }

    /// Bytes as one frame.
    func zstd(_ bytes: [UInt8]) throws -> [UInt8] {
        var compressor = try ZstdCompressor(pieceBytesMax: bytes.count)
        return try bytes.withUnsafeBytes { try Array(compressor.frame($0)) }
    }

    private func descriptor(_ type: String, _ digest: String, _ size: Int, _ more: String? = nil) -> String {
        let more = more.map { ", " + $0 } ?? ""
        return "{\"mediaType\": \"\(type)\", \"digest\": \"sha256:\(digest)\", \"size\": \(size)\(more)}"
    }

    private func blob(_ bytes: [UInt8]) async throws -> String {
        let digest = try await sha256(bytes)
        try write(bytes, to: "image/blobs/sha256/\(digest)")
        return digest
    }

    private func sha256(_ bytes: [UInt8]) async throws -> String {
        try write(bytes, to: "bytes")
        _ = try await runner.run("sh", ["-c", "sha256sum < \(path("bytes")) > \(path("digest"))"])
        return String(decoding: try read("digest").prefix(64), as: UTF8.self)
    }
}
