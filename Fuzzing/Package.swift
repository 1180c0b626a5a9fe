// swift-tools-version: 6.2
import PackageDescription

// A package of its own: a fuzzer links only under `--sanitize=fuzzer`, so it must not be part of the ordinary build.
// One executable target per parser; `scripts/fuzz` builds and runs them.

/// A fuzzer: libFuzzer brings `main`, the target brings `LLVMFuzzerTestOneInput`.
func fuzzer(_ name: String) -> Target {
    .executableTarget(
        name: name,
        dependencies: [
            "FuzzSupport",
            .product(name: "CFSRing", package: "VersionKit"),
            .product(name: "MemcachedAdapter", package: "VersionKit"),
            .product(name: "RedisAdapter", package: "VersionKit"),
            .product(name: "VersionKit", package: "VersionKit"),
            .product(name: "VersionKitReleases", package: "VersionKit"),
            .product(name: "ONCRPC", package: "VersionKit"),
            .product(name: "CFSFiles", package: "VersionKit"),
            .product(name: "CFSProtocols", package: "VersionKit"),
            .product(name: "NFS3", package: "VersionKit"),
            .product(name: "NIOCore", package: "swift-nio"),
        ],
        swiftSettings: [
            .treatAllWarnings(as: .error),
            .unsafeFlags(["-parse-as-library"]),
        ]
    )
}

let package = Package(
    name: "Fuzzing",
    dependencies: [
        .package(name: "VersionKit", path: ".."),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
    ],
    targets: [
        // What a version missed, as it is on the disk.
        fuzzer("CatchUpLogFuzzer"),
        // The header that routers put in front of an application's bytes.
        fuzzer("HeaderFuzzer"),
        // The line in which a router says what serves on its node.
        fuzzer("FleetMessageFuzzer"),
        // Layers of releases: lists of chunks, archives, compressed archives.
        fuzzer("LayerFuzzer"),
        // What publishers sign beside releases: roots and channels.
        fuzzer("TrustFuzzer"),
        // The library's framing helpers: PeekBuffer, lines, length prefixes, the parts of RESP.
        fuzzer("FramingFuzzer"),
        // Requests to a Redis, and its replies.
        fuzzer("RedisFuzzer"),
        // Requests to a memcached, and its replies.
        fuzzer("MemcachedFuzzer"),
        // ONC RPC: records, messages; the messages of CFS's gateways.
        fuzzer("RPCFuzzer"),
        // The messages of NFS and MOUNT.
        fuzzer("NFSFuzzer"),
        // What CFS's nodes say to each other.
        fuzzer("NodeMessageFuzzer"),
        // Fragments of CFS's blocks, and blocks of fragments.
        fuzzer("FragmentFuzzer"),
        // Blocks of CFS's file systems, and what their publishers sign.
        fuzzer("FileBlockFuzzer"),
        // What they have in common: a parser is fed byte by byte, and must answer as with everything at once.
        .target(
            name: "FuzzSupport",
            dependencies: [
                .product(name: "VersionKit", package: "VersionKit"), .product(name: "NIOCore", package: "swift-nio"),
            ],
            swiftSettings: [.treatAllWarnings(as: .error)]),
    ]
)
