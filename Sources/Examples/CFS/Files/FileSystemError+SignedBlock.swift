public import CFSBlocks

extension FileSystemError {
    /// The same of a file system: its root is a signed block.
    public init(_ error: SignedBlockError) {
        let code: Code =
            switch error.code {
            case .tooLarge(let bytes): .tooLarge(bytes: bytes)
            case .malformed(let error): .malformed(error)
            case .wrongKey: .wrongKey
            case .badSignature: .badSignature
            case .olderVersion(let version, let seen): .olderVersion(version, seen: seen)
            }
        self.init(code, block: error.block)
    }
}
