(module (export "t" (tag 5)))
;;= all: invalid
;;=   UnknownIndex { space: Tag, index: 5, len: 0 }
;;=   unknown tag 5: there are 0 (at offset 0xe, while reading the export section)
