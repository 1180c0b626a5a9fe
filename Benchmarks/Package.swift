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
        // Effects: starts the programs, and is their client.
        .executableTarget(
            name: "bench-proxy",
            dependencies: [
                "BenchFigures", .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Sources/BenchProxy"),
        .testTarget(name: "BenchFiguresTests", dependencies: ["BenchFigures"]),
    ]
)

for target in package.targets {
    target.swiftSettings = [
        .treatAllWarnings(as: .error),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    ]
}
