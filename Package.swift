// swift-tools-version: 6.2
import PackageDescription

// The layout is the architecture: three rings whose arrows point inwards only (docs/ARCHITECTURE.md).
// `pure` modules hold values and state machines; `effects` modules touch the world; `assembly` modules join them.

/// A VersionKit module: folder `Proxy` becomes module `VersionKitProxy`.
func layer(_ folder: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: "VersionKit\(folder)", dependencies: dependencies, path: "Sources/VersionKit/\(folder)")
}

/// The tests of one module, in a folder that mirrors the sources.
func tests(_ folder: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: "\(folder)Tests", dependencies: dependencies, path: "Tests/\(folder)Tests")
}

let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioSSL = Target.Dependency.product(
    name: "NIOSSL", package: "swift-nio-ssl", condition: .when(traits: ["TLS"]))
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let database = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let deque = Target.Dependency.product(name: "DequeModule", package: "swift-collections")

let package = Package(
    name: "VersionKit",
    products: [
        .library(name: "VersionKit", targets: ["VersionKit"]),
        .library(name: "MemcachedAdapter", targets: ["MemcachedAdapter"]),
        .library(name: "RedisAdapter", targets: ["RedisAdapter"]),
        .library(name: "VersionKitTLS", targets: ["VersionKitTLS"]),
        .library(name: "VersionKitTesting", targets: ["VersionKitTesting"]),
    ],
    traits: [
        .trait(name: "TLS", description: "TLS towards a proxy's clients (VersionKitTLS); builds BoringSSL.")
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    ],
    targets: [
        // Pure ring -------------------------------------------------------------------------------------
        layer("Model"),
        layer("Wire", ["VersionKitModel", nioCore]),
        layer("Proxy", ["VersionKitModel", "VersionKitWire", nioCore, deque]),
        // Framings that many protocols share: lines, length prefixes, RESP.
        layer("Framing", ["VersionKitModel", "VersionKitProxy", "VersionKitWire", nioCore]),
        layer("Router", ["VersionKitModel", "VersionKitWire", nioCore]),
        layer("Upgrade", ["VersionKitModel"]),

        // Effects ring -----------------------------------------------------------------------------------
        // The Linux calls that Swift's Glibc module hides.
        .target(name: "CLinux", path: "Sources/CInterop/CLinux"),
        // Child processes and threads.
        layer("Processes", ["CLinux"]),
        // Sockets: the router's relay, the proxy's engine.
        layer(
            "Transport",
            [
                "CLinux", "VersionKitModel", "VersionKitProcesses", "VersionKitProxy", "VersionKitRouter",
                "VersionKitUpgrade", "VersionKitWire", nioCore, nioPosix,
            ]),
        // TLS towards clients, with the trait of that name; without it there is nothing in it.
        layer("TLS", ["VersionKitTransport", nioCore, nioSSL]),
        // Signed releases: made, checked, stored, unpacked.
        layer("Releases", ["VersionKitModel", "VersionKitProcesses", crypto]),
        // What a node must not forget.
        layer("Journal", ["VersionKitModel", "VersionKitUpgrade", database]),
        // What versionctl and versiond say to each other.
        layer("Control", ["VersionKitModel", "VersionKitProcesses", "VersionKitUpgrade"]),
        // Environments in which versions run.
        layer("Isolation", ["CLinux", "VersionKitModel", "VersionKitProcesses"]),
        // Assembly ring ----------------------------------------------------------------------------------
        // versiond: joins all of the above.
        layer(
            "Node",
            [
                "CLinux", "VersionKitControl", "VersionKitIsolation", "VersionKitJournal", "VersionKitModel",
                "VersionKitProcesses", "VersionKitProxy", "VersionKitReleases", "VersionKitRouter",
                "VersionKitTransport", "VersionKitUpgrade", "VersionKitWire", logging, nioCore, nioPosix,
            ]),

        // Adapters: what the developers of applications write ----------------------------------------------
        .target(name: "IrisLogAdapter", dependencies: ["VersionKit"], path: "Sources/Adapters/IrisLog"),
        .target(
            name: "RedisAdapter", dependencies: ["VersionKit"], path: "Sources/Adapters/Redis",
            exclude: ["README.md"]),
        .target(name: "MemcachedAdapter", dependencies: ["VersionKit"], path: "Sources/Adapters/Memcached"),

        // Examples: applications that know nothing of VersionKit, and the programs around their adapters ----
        .systemLibrary(
            name: "CLibXML2", path: "Sources/CInterop/CLibXML2", pkgConfig: "libxml-2.0",
            providers: [.apt(["libxml2-dev"])]),
        .target(name: "IrisLogCore", dependencies: ["CLibXML2"], path: "Sources/Examples/IrisLog/Core"),
        .target(
            name: "IrisLogNetwork", dependencies: ["IrisLogCore", nioCore, nioPosix],
            path: "Sources/Examples/IrisLog/Network"),
        .target(
            name: "IrisLogProtocol1", dependencies: ["IrisLogCore", "IrisLogNetwork", nioCore],
            path: "Sources/Examples/IrisLog/Protocol1"),
        .target(
            name: "IrisLogProtocol2", dependencies: ["IrisLogCore", "IrisLogNetwork", nioCore],
            path: "Sources/Examples/IrisLog/Protocol2"),
        .executableTarget(
            name: "irislog1", dependencies: ["IrisLogCore", "IrisLogNetwork", "IrisLogProtocol1"],
            path: "Sources/Examples/IrisLog/Version1"),
        .executableTarget(
            name: "irislog2", dependencies: ["IrisLogCore", "IrisLogNetwork", "IrisLogProtocol2"],
            path: "Sources/Examples/IrisLog/Version2"),
        .executableTarget(
            name: "irislog-proxy", dependencies: ["IrisLogAdapter", "VersionKit"],
            path: "Sources/Examples/IrisLog/Proxy"),
        .executableTarget(
            name: "irislog-migrate", dependencies: ["IrisLogAdapter", "VersionKit"],
            path: "Sources/Examples/IrisLog/Migrate"),
        .executableTarget(
            name: "redis-proxy", dependencies: ["RedisAdapter", "VersionKit"], path: "Sources/Examples/Redis/Proxy"),
        .executableTarget(
            name: "memcached-proxy", dependencies: ["MemcachedAdapter", "VersionKit"],
            path: "Sources/Examples/Memcached/Proxy"),
        // The command line client of both versions.
        .executableTarget(
            name: "irislog", dependencies: ["IrisLogCore", "IrisLogProtocol1", "IrisLogProtocol2", arguments],
            path: "Sources/Examples/IrisLog/Client"),
        // Uses an IrisLog without pause, and reads back what was acknowledged.
        .executableTarget(
            name: "irislog-load",
            dependencies: ["IrisLogCore", "IrisLogProtocol1", "IrisLogProtocol2", arguments],
            path: "Sources/Examples/IrisLog/Load"),
        // IrisLog on a testbed of hosts with versiond: for the demonstration and for tests.
        .target(
            name: "IrisLogFleet",
            dependencies: ["ExampleFleet", "VersionKitControl", "VersionKitProcesses", "VersionKitTestbed"],
            path: "Sources/Examples/IrisLog/Fleet"),
        // The demonstration: `make demo`.
        .executableTarget(
            name: "irislog-demo",
            dependencies: [
                "ExampleFleet", "IrisLogFleet", "VersionKitControl", "VersionKitModel", "VersionKitTestbed",
                "VersionKitUpgrade", arguments,
            ],
            path: "Sources/Examples/IrisLog/Demo"),

        // What the demonstrations have in common: making releases, hosts with versiond, printing.
        .target(
            name: "ExampleFleet",
            dependencies: [
                "VersionKitControl", "VersionKitModel", "VersionKitProcesses", "VersionKitTestbed", "VersionKitUpgrade",
            ],
            path: "Sources/Examples/Fleet"),
        // What a Redis must be, according to who alone writes it: values, without sockets.
        .target(name: "RedisCheckModel", path: "Sources/Examples/Redis/CheckModel"),
        // Uses a Redis without pause, and reads back what was acknowledged.
        .executableTarget(
            name: "redis-check", dependencies: ["RedisCheckModel", "VersionKitProcesses", arguments],
            path: "Sources/Examples/Redis/Check"),
        // Redis on a host with versiond, its releases and its clients.
        .target(
            name: "RedisFleet",
            dependencies: ["ExampleFleet", "VersionKitModel", "VersionKitProcesses", "VersionKitTestbed"],
            path: "Sources/Examples/Redis/Fleet"),
        // The demonstration: `make demo-redis`.
        .executableTarget(
            name: "redis-demo",
            dependencies: [
                "ExampleFleet", "RedisFleet", "VersionKitControl", "VersionKitModel", "VersionKitTestbed",
                "VersionKitUpgrade", arguments,
            ],
            path: "Sources/Examples/Redis/Demo"),

        // Commands ---------------------------------------------------------------------------------------
        .executableTarget(
            name: "versiond",
            dependencies: ["VersionKitNode", logging, arguments], path: "Sources/Commands/versiond"),
        .executableTarget(
            name: "versionctl",
            dependencies: [
                "VersionKitControl", "VersionKitModel", "VersionKitProcesses", "VersionKitReleases",
                "VersionKitUpgrade", arguments,
            ],
            path: "Sources/Commands/versionctl"),
        // The init of an environment; its protocol is the Isolation module's.
        .executableTarget(
            name: "versionkit-environment", dependencies: ["CLinux", "VersionKitProcesses"],
            path: "Sources/Commands/environment"),

        // Hosts as network namespaces on one machine, for demonstrations, tests and measurements.
        layer("Testbed", ["CLinux", "VersionKitProcesses"]),

        // What the authors of adapters test them with, and we.
        layer(
            "Testing",
            [
                "CLinux", "VersionKitModel", "VersionKitProcesses", "VersionKitProxy", "VersionKitTransport",
                "VersionKitWire", nioCore, nioPosix,
            ]),
        // Umbrella: all that the author of an adapter imports.
        .target(
            name: "VersionKit",
            dependencies: [
                "VersionKitFraming", "VersionKitModel", "VersionKitProxy", "VersionKitTransport", "VersionKitUpgrade",
                "VersionKitWire", nioCore,
            ],
            path: "Sources/VersionKit/VersionKit"),

        // Tests ------------------------------------------------------------------------------------------
        // Code that the documentation shows: TidyTests compare the two.
        .target(name: "DocumentationSamples", dependencies: ["VersionKit"], path: "Tests/DocumentationTests/Samples"),
        tests("Model", ["VersionKitModel"]),
        tests("Wire", ["VersionKitModel", "VersionKitWire", nioCore]),
        tests("Proxy", ["VersionKitModel", "VersionKitProxy", "VersionKitTesting", "VersionKitWire", nioCore]),
        tests("Framing", ["VersionKitFraming", "VersionKitModel", "VersionKitProxy", "VersionKitWire", nioCore]),
        tests("Adapters", ["IrisLogAdapter", "MemcachedAdapter", "RedisAdapter", "VersionKit", "VersionKitTesting"]),
        tests("Router", ["VersionKitModel", "VersionKitRouter", "VersionKitWire"]),
        tests("Upgrade", ["VersionKitModel", "VersionKitUpgrade"]),
        tests("Releases", ["VersionKitReleases", "VersionKitModel"]),
        tests("Testbed", ["VersionKitTestbed", "CLinux", "testbed-holder"]),
        tests("RedisExample", ["RedisCheckModel"]),
        tests("Tidy", []),
        tests(
            "IrisLog",
            ["IrisLogCore", "IrisLogNetwork", "IrisLogProtocol1", "IrisLogProtocol2", nioCore, nioPosix]),
        tests(
            "Transport",
            [
                "CLinux", "VersionKitModel", "VersionKitProcesses", "VersionKitProxy", "VersionKitTransport",
                "VersionKitWire", "line-proxy", nioCore, nioPosix,
            ]),
        // A proxy of a protocol of lines, for TransportTests to kill.
        .executableTarget(name: "line-proxy", dependencies: ["VersionKit"], path: "Tests/LineProxy"),
        .testTarget(
            name: "TestingTests",
            dependencies: ["VersionKitModel", "VersionKitProxy", "VersionKitTesting", "VersionKitWire", nioCore],
            path: "Tests/TestingTests", resources: [.copy("Scripts")]),
        tests(
            "TLS",
            [
                "VersionKitModel", "VersionKitProcesses", "VersionKitProxy", "VersionKitTLS", "VersionKitTransport",
                "VersionKitWire", nioCore, nioPosix, nioSSL,
            ]),
        // Real redis-servers and memcached servers.
        tests(
            "RealServers",
            [
                "CLinux", "MemcachedAdapter", "RedisAdapter", "VersionKitModel", "VersionKitProcesses",
                "VersionKitProxy",
                "VersionKitTransport", nioPosix,
            ]),
        // Real hosts, processes and kernels: the programs are built beside the tests, and used by their path.
        tests(
            "Node",
            [
                "CLinux", "ExampleFleet", "IrisLogFleet", "VersionKitControl", "VersionKitModel", "VersionKitProcesses",
                "VersionKitTestbed", "VersionKitUpgrade", "VersionKitWire", "ports-service", nioCore,
            ]),
        // A service and its proxy, for NodeTests.
        .executableTarget(
            name: "ports-service",
            dependencies: ["CLinux", "DocumentationSamples", "VersionKit", "VersionKitProcesses"],
            path: "Tests/PortsService"),
        // Holds a testbed until it is killed, for TestbedTests.
        .executableTarget(name: "testbed-holder", dependencies: ["VersionKitTestbed"], path: "Tests/TestbedHolder"),
    ]
)

// The same rules for every target: Swift 6 language mode comes with the tools version.
for target in package.targets where ![.system, .plugin].contains(target.type) {
    target.swiftSettings =
        (target.swiftSettings ?? []) + [
            .treatAllWarnings(as: .error),
            .enableUpcomingFeature("ExistentialAny"),
            .enableUpcomingFeature("InternalImportsByDefault"),
            .enableUpcomingFeature("MemberImportVisibility"),
            .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
        ]
}
