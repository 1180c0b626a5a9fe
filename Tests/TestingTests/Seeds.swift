import Foundation

/// Which seeds tests of simulations try: few, or what `VERSIONKIT_SEEDS` says: `5000` for so many, `17-17` for just that
/// one. CONTRIBUTING tells of it.
enum Seeds {
    static func few(_ count: UInt64) -> Range<UInt64> {
        guard let text = ProcessInfo.processInfo.environment["VERSIONKIT_SEEDS"], !text.isEmpty else {
            return 0..<count
        }
        let bounds = text.split(separator: "-").map { UInt64($0) }
        switch (bounds.first ?? nil, bounds.last ?? nil, bounds.count) {
        case (let count?, _, 1): return 0..<count
        case (let first?, let last?, 2) where first <= last && last < .max: return first..<last + 1
        default: preconditionFailure("VERSIONKIT_SEEDS is '\(text)', and not a number or FIRST-LAST")
        }
    }
}
