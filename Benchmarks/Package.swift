// swift-tools-version: 6.2
import PackageDescription

// A package of its own: who builds VersionKit does not build its benchmarks. It needs nothing of VersionKit's sources,
// since it measures programs from outside, the same way for ours and for its peers.

let package = Package(
    name: "Benchmarks",
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0")
    ],
    targets: [
        // Pure: statistics, goals, and the reading of what programs print.
        .target(name: "BenchFigures"),
        // In C, since what it measures is the kernel's part: a server that does nothing.
        .target(name: "CResponder"),
        // In C for the same reason: the proxy that leaves out all that can be left out.
        .target(name: "CLeastProxy"),
        // Effects that the benchmarks share: programs and files.
        .target(name: "BenchPrograms"),
        // What the benchmarks' command lines have in common.
        .target(
            name: "BenchCommands",
            dependencies: [
                "BenchFigures", "BenchPrograms", .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
        // Effects: starts the programs, and is their client.
        .executableTarget(
            name: "bench-proxy",
            dependencies: [
                "BenchCommands", "BenchFigures", "BenchPrograms", "CLeastProxy", "CResponder",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Sources/BenchProxy"),
        // What the load generator needs of Linux.
        .target(name: "CBench"),
        // Load generator and echo server for the router. It runs inside an environment: it must need nothing but Swift's
        // own libraries.
        .executableTarget(name: "bench-load", dependencies: ["BenchFigures", "CBench"], path: "Sources/BenchLoad"),
        // Effects: two hosts with each kind of router between them.
        .executableTarget(
            name: "bench-router",
            dependencies: [
                "BenchCommands", "BenchFigures", "BenchPrograms",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Sources/BenchRouter"),
        // Effects: has the driver of the main package measure, one environment at a time.
        .executableTarget(
            name: "bench-isolation",
            dependencies: [
                "BenchCommands", "BenchFigures", "BenchPrograms",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Sources/BenchIsolation"),
        // Effects: has the driver of the main package measure, one fleet at a time.
        .executableTarget(
            name: "bench-upgrade",
            dependencies: [
                "BenchCommands", "BenchFigures", "BenchPrograms",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Sources/BenchUpgrade"),
        // Effects: has the driver of the main package measure rings of CFS, and its simulator simulate them.
        .executableTarget(
            name: "bench-cfs",
            dependencies: [
                "BenchCommands", "BenchFigures", "BenchPrograms",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Sources/BenchCFS"),
        .testTarget(name: "BenchFiguresTests", dependencies: ["BenchFigures"]),
    ]
)

for target in package.targets where target.name != "CBench" {
    target.swiftSettings = [
        .treatAllWarnings(as: .error),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    ]
}
