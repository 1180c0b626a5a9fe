import Foundation

/// What is said while it goes on: stdout is for results.
package enum Console {
    /// Says a line.
    package static func say(_ text: String) { FileHandle.standardError.write(Data("\(text)\n".utf8)) }
}
