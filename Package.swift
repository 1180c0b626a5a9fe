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
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
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
        // For the fuzzers of what publishers sign; no adapter needs it.
        .library(name: "VersionKitReleases", targets: ["VersionKitReleases"]),
        // ONC RPC, for whoever needs it; it needs SwiftNIO only.
        .library(name: "ONCRPC", targets: ["ONCRPC"]),
        .library(name: "ONCRPCSockets", targets: ["ONCRPCSockets"]),
        // For the fuzzers of what CFS's nodes and clients send.
        .library(name: "CFSProtocols", targets: ["CFSGeneration1", "CFSGeneration2", "CFSProtocol1", "CFSProtocol2"]),
        // For the fuzzer of the blocks of file systems.
        .library(name: "CFSFiles", targets: ["CFSFiles"]),
        // For the fuzzer of the messages of NFS.
        .library(name: "NFS3", targets: ["NFS3"]),
        // For the fuzzer of fragments; no adapter needs it.
        .library(name: "CFSRing", targets: ["CFSRing"]),
        // Sets the time of day and the memory that programs see which NodeTests run.
        .library(name: "SetHost", type: .dynamic, targets: ["SetHost"]),
    ],
    traits: [
        .trait(name: "TLS", description: "TLS towards a proxy's clients (VersionKitTLS); builds BoringSSL."),
        .trait(name: "Xen", description: "Environments that are Xen domains; needs libxen-dev."),
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
        // libxl, with the trait Xen; without it every call fails.
        .target(
            name: "CLibXL", path: "Sources/CInterop/CLibXL",
            cSettings: [.define("VK_XEN", to: "1", .when(traits: ["Xen"]))],
            linkerSettings: [.linkedLibrary("xenlight", .when(traits: ["Xen"]))]),
        // BitTorrent, by libtorrent-rasterbar. The definitions are those that the library was built with.
        .target(
            name: "CTorrent", path: "Sources/CInterop/CTorrent",
            cxxSettings: [
                "TORRENT_LINKING_SHARED", "BOOST_ASIO_ENABLE_CANCELIO", "BOOST_ASIO_NO_DEPRECATED",
                "TORRENT_USE_OPENSSL",
                "TORRENT_USE_LIBCRYPTO", "TORRENT_SSL_PEERS", "OPENSSL_NO_SSL2", "BOOST_ALL_NO_LIB",
            ].map { .define($0) },
            linkerSettings: ["torrent-rasterbar", "ssl", "crypto"].map { .linkedLibrary($0) }),
        // Compression of layers.
        .systemLibrary(
            name: "CZstd", path: "Sources/CInterop/CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
        // Child processes and threads.
        layer("Processes", ["CLinux"]),
        // Addresses and sockets of either IP.
        layer("Sockets", ["CLinux", "VersionKitModel", "VersionKitProcesses"]),
        // Traffic: the router's relay, the proxy's engine.
        layer(
            "Transport",
            [
                "CLinux", "VersionKitModel", "VersionKitProcesses", "VersionKitProxy", "VersionKitRouter",
                "VersionKitSockets", "VersionKitUpgrade", "VersionKitWire", nioCore, nioPosix,
            ]),
        // TLS towards clients, with the trait of that name; without it there is nothing in it.
        layer("TLS", ["VersionKitTransport", nioCore, nioSSL]),
        // Signed releases: made, checked, stored, unpacked.
        layer("Releases", ["CLinux", "CZstd", "VersionKitModel", "VersionKitProcesses", crypto]),
        // Releases by BitTorrent. No product of this package but versiond's own depends on it.
        layer("Swarm", ["CTorrent", "VersionKitModel"]),
        // What a node must not forget.
        layer("Journal", ["VersionKitModel", "VersionKitUpgrade", database]),
        // What versionctl and versiond say to each other.
        layer(
            "Control",
            ["VersionKitIsolation", "VersionKitModel", "VersionKitProcesses", "VersionKitSockets", "VersionKitUpgrade"]),
        // The router's fast path: eBPF, nftables.
        layer("Kernel", ["CLinux", "VersionKitModel", "VersionKitProcesses", "VersionKitSockets"]),
        // Environments in which versions run.
        layer(
            "Isolation",
            [
                "CLibXL", "CLinux", "VersionKitModel", "VersionKitProcesses", "VersionKitReleases",
                "VersionKitSockets",
            ]),
        // Assembly ring ----------------------------------------------------------------------------------
        // versiond: joins all of the above.
        layer(
            "Node",
            [
                "CLinux", "VersionKitControl", "VersionKitIsolation", "VersionKitJournal", "VersionKitKernel",
                "VersionKitModel", "VersionKitProcesses", "VersionKitProxy", "VersionKitReleases", "VersionKitRouter",
                "VersionKitSockets", "VersionKitSwarm", "VersionKitTransport", "VersionKitUpgrade", "VersionKitWire",
                logging,
                nioCore, nioHTTP1, nioPosix,
            ]),

        // ONC RPC: what the example CFS speaks, knowing nothing of VersionKit ---------------------------------
        // XDR, messages, records; calls that wait, replies that are remembered: values without sockets.
        .target(name: "ONCRPC", dependencies: [nioCore]),
        // The same over UDP, TCP and Unix sockets.
        .target(name: "ONCRPCSockets", dependencies: ["ONCRPC", nioCore, nioPosix]),

        // Adapters: what the developers of applications write ----------------------------------------------
        .target(name: "IrisLogAdapter", dependencies: ["VersionKit"], path: "Sources/Adapters/IrisLog"),
        .target(
            name: "RedisAdapter", dependencies: ["VersionKit"], path: "Sources/Adapters/Redis",
            exclude: ["README.md"]),
        .target(
            name: "CFSAdapter",
            dependencies: [
                "CFSBlocks", "CFSClient", "CFSModel", "CFSProtocol", "CFSProtocol1", "CFSProtocol2", "ONCRPC",
                "ONCRPCSockets", "VersionKit",
            ],
            path: "Sources/Adapters/CFS", exclude: ["README.md"]),
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
        // What the demonstrations make of what they see: values, without sockets.
        .target(
            name: "IrisLogDemoModel",
            dependencies: [
                "ExampleFleet", "IrisLogFleet", "VersionKitControl", "VersionKitModel", "VersionKitUpgrade",
            ],
            path: "Sources/Examples/IrisLog/DemoModel"),
        // The demonstrations: `make demo`, `make demo-rollback`.
        .executableTarget(
            name: "irislog-demo",
            dependencies: [
                "ExampleFleet", "IrisLogDemoModel", "IrisLogFleet", "VersionKitControl", "VersionKitModel",
                "VersionKitProcesses", "VersionKitTestbed", "VersionKitUpgrade", arguments,
            ],
            path: "Sources/Examples/IrisLog/Demo"),

        // CFS, the cooperative file system of the papers. The ring's state machines are pure: sockets are elsewhere.
        .target(name: "CFSModel", dependencies: [crypto], path: "Sources/Examples/CFS/Model"),
        .target(name: "CFSRing", dependencies: ["CFSModel"], path: "Sources/Examples/CFS/Ring"),
        // Thousands of these state machines, with latency, loss and churn from a seed.
        .target(name: "CFSSimulation", dependencies: ["CFSModel", "CFSRing"], path: "Sources/Examples/CFS/Simulation"),
        // Prints what the simulation counts: hops, lost blocks, the speed of the coding.
        .executableTarget(
            name: "cfs-simulate", dependencies: ["CFSModel", "CFSRing", "CFSSimulation", arguments],
            path: "Sources/Examples/CFS/Simulate"),

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

        // What the protocols of 2004 and 2008 have in common.
        .target(
            name: "CFSProtocol", dependencies: ["CFSModel", "ONCRPC", nioCore], path: "Sources/Examples/CFS/Protocol"),
        // The programs of generation 1, as XDR.
        .target(
            name: "CFSProtocol1", dependencies: ["CFSModel", "CFSProtocol", "ONCRPC", nioCore],
            path: "Sources/Examples/CFS/Protocol1"),
        // The ring's questions and answers as messages of generation 1, and which blocks are right there.
        .target(
            name: "CFSGeneration1",
            dependencies: ["CFSBlocks", "CFSModel", "CFSProtocol", "CFSProtocol1", "CFSRing", "ONCRPC", nioCore],
            path: "Sources/Examples/CFS/Generation1"),
        // What nodes keep, on the disk.
        .target(
            name: "CFSStore", dependencies: ["CFSModel", "CFSRing", database], path: "Sources/Examples/CFS/Store"),
        // Nodes with sockets, clocks and disks, in the forms of either generation.
        .target(
            name: "CFSNode",
            dependencies: [
                "CFSGeneration1", "CFSGeneration2", "CFSModel", "CFSProtocol", "CFSProtocol1", "CFSProtocol2",
                "CFSRing",
                "CFSStore", "ONCRPC", "ONCRPCSockets", deque, nioCore, nioPosix,
            ],
            path: "Sources/Examples/CFS/Node"),
        // The program that is a process of nodes, and its options.
        .target(
            name: "CFSLSD", dependencies: ["CFSNode", "CFSStore", "ONCRPCSockets", arguments, nioCore],
            path: "Sources/Examples/CFS/LSD"),
        // It, for generation 1 and for generation 2.
        .executableTarget(
            name: "cfs-lsd", dependencies: ["CFSLSD", "CFSNode"], path: "Sources/Examples/CFS/LSD1"),
        .executableTarget(
            name: "cfs-lsd2", dependencies: ["CFSLSD", "CFSNode"], path: "Sources/Examples/CFS/LSD2"),
        // Looks into such a process, and steers it.
        .executableTarget(
            name: "cfs-lsdctl",
            dependencies: ["CFSModel", "CFSProtocol1", "ONCRPC", "ONCRPCSockets", arguments],
            path: "Sources/Examples/CFS/LSDControl"),
        // The programs of generation 2, as XDR.
        .target(
            name: "CFSProtocol2", dependencies: ["CFSModel", "CFSProtocol", "CFSProtocol1", "ONCRPC", nioCore],
            path: "Sources/Examples/CFS/Protocol2"),
        // The ring's questions and answers as messages of generation 2.
        .target(
            name: "CFSGeneration2",
            dependencies: [
                "CFSGeneration1", "CFSModel", "CFSProtocol", "CFSProtocol1", "CFSProtocol2", "CFSRing", "ONCRPC",
                nioCore,
            ],
            path: "Sources/Examples/CFS/Generation2"),
        // Blocks that are named by a key and signed: publishers make them, nodes and readers verify them.
        .target(
            name: "CFSBlocks", dependencies: ["CFSModel", "CFSProtocol", "ONCRPC", crypto, nioCore],
            path: "Sources/Examples/CFS/Blocks"),
        // File systems of blocks: formats, publishing, reading; where blocks are kept is somebody else's.
        .target(
            name: "CFSFiles", dependencies: ["CFSBlocks", "CFSModel", "CFSProtocol", "ONCRPC", nioCore],
            path: "Sources/Examples/CFS/Files"),

        // The blocks behind a gateway over sockets: calls in both forms, checked, kept, fetched ahead.
        .target(
            name: "CFSClient",
            dependencies: [
                "CFSBlocks", "CFSFiles", "CFSModel", "CFSProtocol", "CFSProtocol1", "CFSProtocol2", "ONCRPC",
                "ONCRPCSockets", deque,
                nioCore,
            ],
            path: "Sources/Examples/CFS/Client"),
        // A gateway without a ring behind it, which can also lie, lose and delay: for tests, and to measure clients with.
        .target(
            name: "CFSMemoryGateway",
            dependencies: [
                "CFSBlocks", "CFSClient", "CFSModel", "CFSProtocol", "CFSProtocol1", "CFSProtocol2", "ONCRPC", nioCore,
            ],
            path: "Sources/Examples/CFS/MemoryGateway"),
        // Directories of the disk as trees to be published, and trees written to the disk; keys, and versions that were seen.
        .target(
            name: "CFSDisk", dependencies: ["CFSBlocks", "CFSFiles", "CFSModel", nioCore],
            path: "Sources/Examples/CFS/Disk"),
        // NFS version 3 and its program for mounting, as XDR.
        .target(name: "NFS3", dependencies: ["ONCRPC", nioCore], path: "Sources/Examples/CFS/NFS3"),
        // A file system by NFS, to be read: handles, both programs; sockets are its caller's.
        .target(
            name: "CFSNFS", dependencies: ["CFSFiles", "CFSModel", "NFS3", "ONCRPC", crypto, nioCore],
            path: "Sources/Examples/CFS/NFS"),
        // The program for people.
        .executableTarget(
            name: "cfs",
            dependencies: [
                "CFSBlocks", "CFSClient", "CFSDisk", "CFSFiles", "CFSModel", "CFSNFS", "ONCRPC", "ONCRPCSockets",
                arguments,
                nioCore,
            ],
            path: "Sources/Examples/CFS/Program"),
        // CFS' application proxy and its migrator.
        .executableTarget(
            name: "cfs-proxy", dependencies: ["CFSAdapter", "VersionKit"], path: "Sources/Examples/CFS/Proxy"),
        .executableTarget(
            name: "cfs-migrate", dependencies: ["CFSAdapter", "VersionKit"], path: "Sources/Examples/CFS/Migrate"),
        // CFS on hosts with versiond, and its releases.
        .target(
            name: "CFSFleet", dependencies: ["ExampleFleet", "VersionKitTestbed"], path: "Sources/Examples/CFS/Fleet"),
        // The demonstration: `make demo-cfs`.
        .executableTarget(
            name: "cfs-demo",
            dependencies: [
                "CFSFleet", "ExampleFleet", "VersionKitControl", "VersionKitModel", "VersionKitProcesses",
                "VersionKitTestbed", "VersionKitUpgrade", arguments, crypto,
            ],
            path: "Sources/Examples/CFS/Demo"),
        // The papers' benchmark of blocks.
        .executableTarget(
            name: "cfs-dbm",
            dependencies: [
                "CFSBlocks", "CFSClient", "CFSMemoryGateway", "CFSModel", "CFSSimulation", "ONCRPC", "ONCRPCSockets",
                arguments, nioCore,
            ],
            path: "Sources/Examples/CFS/DBM"),

        // Commands ---------------------------------------------------------------------------------------
        .executableTarget(
            name: "versiond",
            dependencies: ["VersionKitControl", "VersionKitNode", "VersionKitProcesses", logging, arguments],
            path: "Sources/Commands/versiond"),
        .executableTarget(
            name: "versionctl",
            dependencies: [
                "CLinux", "VersionKitControl", "VersionKitIsolation", "VersionKitModel", "VersionKitProcesses",
                "VersionKitReleases", "VersionKitUpgrade", arguments,
            ],
            path: "Sources/Commands/versionctl"),
        // The agent inside environments; its protocol is the Isolation module's. It runs in any root file system.
        .executableTarget(
            name: "versionkit-environment",
            dependencies: ["CLinux", "VersionKitModel", "VersionKitProcesses", "VersionKitSockets"],
            path: "Sources/Commands/environment", linkerSettings: [.unsafeFlags(["-static-executable"])]),

        // Hosts as network namespaces on one machine, for demonstrations, tests and measurements.
        layer("Testbed", ["CLinux", "VersionKitModel", "VersionKitProcesses"]),

        // What the authors of adapters test them with, and we.
        layer(
            "Testing",
            [
                "CLinux", "VersionKitModel", "VersionKitProcesses", "VersionKitProxy", "VersionKitSockets",
                "VersionKitTransport", "VersionKitWire", nioCore, nioPosix,
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
        tests(
            "Adapters",
            [
                "CFSAdapter", "CFSBlocks", "CFSClient", "CFSMemoryGateway", "CFSModel", "CFSProtocol", "CFSProtocol1",
                "CFSProtocol2", "IrisLogAdapter", "MemcachedAdapter", "ONCRPC", "ONCRPCSockets", "RedisAdapter",
                "VersionKit", "VersionKitTesting",
            ]),
        tests("Router", ["VersionKitModel", "VersionKitRouter", "VersionKitWire", nioCore]),
        tests(
            "Control",
            ["CLinux", "VersionKitControl", "VersionKitModel", "VersionKitProcesses", "VersionKitUpgrade"]),
        tests("Upgrade", ["VersionKitModel", "VersionKitUpgrade"]),
        tests("Releases", ["VersionKitReleases", "VersionKitModel"]),
        tests(
            "Swarm",
            [
                "CLinux", "VersionKitModel", "VersionKitProcesses", "VersionKitReleases", "VersionKitSockets",
                "VersionKitSwarm", "VersionKitUpgrade",
            ]),
        tests(
            "Testbed",
            [
                "CLinux", "VersionKitModel", "VersionKitProcesses", "VersionKitSockets", "VersionKitTestbed",
                "testbed-holder",
            ]),
        // The kernel's own translation, between hosts with environments.
        tests(
            "Kernel",
            [
                "CLinux", "VersionKitKernel", "VersionKitModel", "VersionKitProcesses", "VersionKitSockets",
                "VersionKitTestbed", "isolation-app", "kernel-path-holder",
            ]),
        // Holds a fast path until it is killed, for KernelTests.
        .executableTarget(
            name: "kernel-path-holder", dependencies: ["VersionKitKernel", "VersionKitModel"],
            path: "Tests/KernelPathHolder"),
        tests("CFS", ["CFSBlocks", "CFSGeneration1", "CFSModel", "CFSRing", "CFSSimulation", nioCore]),
        tests("CFSFiles", ["CFSBlocks", "CFSFiles", "CFSModel", "ONCRPC", nioCore]),
        tests(
            "CFSClient",
            [
                "CFSBlocks", "CFSClient", "CFSFiles", "CFSMemoryGateway", "CFSModel", "ONCRPC", "ONCRPCSockets",
                nioCore,
            ]),
        tests("NFS3", ["NFS3", "ONCRPC", nioCore]),
        // The programs, as processes.
        tests(
            "CFSProgram",
            [
                "CFSClient", "CFSMemoryGateway", "CFSModel", "ONCRPC", "ONCRPCSockets", "VersionKitProcesses", "cfs",
                "cfs-dbm", nioCore,
            ]),
        tests(
            "CFSNFS",
            [
                "CFSBlocks", "CFSFiles", "CFSModel", "CFSNFS", "NFS3", "ONCRPC", "ONCRPCSockets", "VersionKitProcesses",
                nioCore,
            ]),
        // Real nodes, some of them in processes of their own.
        tests(
            "CFSNode",
            [
                "CFSAdapter", "CFSBlocks", "CFSGeneration1", "CFSModel", "CFSNode", "CFSProtocol", "CFSProtocol1",
                "CFSProtocol2", "CFSRing", "CFSStore", "ONCRPC", "ONCRPCSockets", "VersionKit", "VersionKitProcesses",
                "cfs-lsd", "cfs-lsd2", "cfs-lsdctl", database, nioCore, nioPosix,
            ]),
        tests("RedisExample", ["RedisCheckModel"]),
        tests("ONCRPC", ["ONCRPC", "ONCRPCSockets", "VersionKitProcesses", "tirpc-peer", nioCore, nioPosix]),
        // Another implementation of ONC RPC, which ONCRPCTests speak with.
        .systemLibrary(
            name: "CTIRPC", path: "Sources/CInterop/CTIRPC", pkgConfig: "libtirpc",
            providers: [.apt(["libtirpc-dev"])]),
        .executableTarget(name: "tirpc-peer", dependencies: ["CTIRPC"], path: "Tests/TIRPCPeer"),
        tests(
            "CFSProtocol",
            [
                "CFSBlocks", "CFSGeneration1", "CFSGeneration2", "CFSModel", "CFSProtocol", "CFSProtocol1",
                "CFSProtocol2", "CFSRing",
                "ONCRPC", "ONCRPCSockets", nioCore,
            ]),
        tests("Tidy", []),
        tests(
            "IrisLog",
            [
                "IrisLogCore", "IrisLogDemoModel", "IrisLogFleet", "IrisLogNetwork", "IrisLogProtocol1",
                "IrisLogProtocol2", "VersionKitControl", "VersionKitModel", "VersionKitUpgrade", nioCore, nioPosix,
            ]),
        tests(
            "Transport",
            [
                "CLinux", "VersionKitModel", "VersionKitProcesses", "VersionKitProxy", "VersionKitRouter",
                "VersionKitSockets", "VersionKitTestbed", "VersionKitTransport", "VersionKitWire", "line-proxy",
                nioCore, nioPosix,
            ]),
        // A proxy of a protocol of lines, for TransportTests to kill.
        .executableTarget(name: "line-proxy", dependencies: ["VersionKit"], path: "Tests/LineProxy"),
        .testTarget(
            name: "TestingTests",
            dependencies: ["VersionKitModel", "VersionKitProxy", "VersionKitTesting", "VersionKitWire", nioCore],
            path: "Tests/TestingTests", resources: [.copy("Scripts")]),
        tests("Processes", ["VersionKitProcesses"]),
        tests(
            "Isolation",
            ["CLinux", "VersionKitIsolation", "VersionKitModel", "VersionKitProcesses", "VersionKitSockets"]),
        // Makes environments until it is killed, for IsolationTests.
        .executableTarget(
            name: "environment-holder", dependencies: ["VersionKitIsolation", "VersionKitModel"],
            path: "Tests/EnvironmentHolder"),
        // What runs in environments that are tested: in any root file system, in any kernel.
        .executableTarget(
            name: "isolation-app", path: "Tests/IsolationApp",
            linkerSettings: [.unsafeFlags(["-static-executable"])]),
        // Does one thing with one kind of environment and tells what it cost, for scripts/bench-isolation.
        .executableTarget(
            name: "isolation-bench",
            dependencies: ["VersionKitIsolation", "VersionKitModel", "VersionKitProcesses", "VersionKitSockets"],
            path: "Tests/IsolationBench"),
        tests(
            "TLS",
            [
                "VersionKitModel", "VersionKitProcesses", "VersionKitProxy", "VersionKitTLS", "VersionKitTransport",
                "VersionKitWire", nioCore, nioPosix, nioSSL,
            ]),
        // Snapshots on real file systems and of real processes.
        tests(
            "Snapshot",
            [
                "CLinux", "VersionKitIsolation", "VersionKitModel", "VersionKitProcesses", "VersionKitSockets",
                "memory-service",
            ]),
        // Whose memory SnapshotTests keep: a server with nothing but a heap and sockets.
        .executableTarget(
            name: "memory-service", path: "Tests/MemoryService",
            linkerSettings: [.unsafeFlags(["-static-executable"])]),
        // Real redis-servers and memcached servers.
        tests(
            "RealServers",
            [
                "CLinux", "MemcachedAdapter", "RedisAdapter", "VersionKitModel", "VersionKitProcesses",
                "VersionKitProxy", "VersionKitSockets", "VersionKitTransport", nioPosix,
            ]),
        // Real hosts, processes and kernels: the programs are built beside the tests, and used by their path.
        tests(
            "Node",
            [
                "CLinux", "ExampleFleet", "IrisLogFleet", "RedisFleet", "VersionKitControl", "VersionKitIsolation",
                "VersionKitKernel", "VersionKitJournal", "VersionKitModel", "VersionKitNode", "VersionKitProcesses",
                "VersionKitReleases",
                "VersionKitRouter",
                "VersionKitSockets",
                "VersionKitTestbed", "VersionKitUpgrade", "VersionKitWire", "ports-service", nioCore,
            ]),
        // Distributed servers that nobody here wrote, each as two versions on the same hosts and ports.
        tests(
            "ThirdParty",
            [
                "CLinux", "ExampleFleet", "VersionKitControl", "VersionKitModel", "VersionKitProcesses",
                "VersionKitSockets", "VersionKitTestbed", "VersionKitUpgrade",
            ]),
        .target(name: "SetHost", path: "Tests/SetHost"),
        // A service and its proxy, for NodeTests.
        .executableTarget(
            name: "ports-service",
            dependencies: ["CLinux", "DocumentationSamples", "VersionKit", "VersionKitProcesses", "VersionKitSockets"],
            path: "Tests/PortsService"),
        // The tests of Xen environments on a Xen host, `make test-xen`: the conformance suite, whole nodes, their application.
        .executableTarget(
            name: "xen-tests",
            dependencies: [
                "CLinux", "ExampleFleet", "VersionKitControl", "VersionKitIsolation", "VersionKitModel",
                "VersionKitProcesses", "VersionKitSockets",
            ],
            path: "Tests/XenTests"),
        .executableTarget(
            name: "xen-counter",
            dependencies: ["CLinux", "DocumentationSamples", "VersionKit", "VersionKitProcesses", "VersionKitSockets"],
            path: "Tests/XenCounter", linkerSettings: [.unsafeFlags(["-static-executable"])]),
        // What such programs have in common.
        .target(name: "BenchDriver", dependencies: ["ExampleFleet"], path: "Tests/BenchDriver"),
        // Has rings of CFS store and fetch, with VersionKit and without, for scripts/bench-cfs.
        .executableTarget(
            name: "cfs-bench",
            dependencies: [
                "BenchDriver", "CFSFleet", "CFSProtocol1", "ExampleFleet", "ONCRPC", "ONCRPCSockets",
                "VersionKitControl", "VersionKitModel", "VersionKitTestbed",
            ],
            path: "Tests/CFSBench"),
        // Lets releases go over fleets and tells what that took, for scripts/bench-upgrade.
        .executableTarget(
            name: "upgrade-bench",
            dependencies: [
                "BenchDriver", "CLinux", "ExampleFleet", "VersionKitControl", "VersionKitModel", "VersionKitProcesses",
                "VersionKitReleases", "VersionKitRouter", "VersionKitSockets", "VersionKitSwarm", "VersionKitTestbed",
                "VersionKitUpgrade",
            ],
            path: "Tests/UpgradeBench"),
        // The application of these fleets, whose nodes talk to each other.
        .executableTarget(
            name: "gossip-app", path: "Tests/GossipApp", linkerSettings: [.unsafeFlags(["-static-executable"])]),
        // Holds a testbed until it is killed, for TestbedTests.
        .executableTarget(name: "testbed-holder", dependencies: ["VersionKitTestbed"], path: "Tests/TestbedHolder"),
    ],
    cxxLanguageStandard: .cxx17
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
