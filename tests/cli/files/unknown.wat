(module (func call $"no\1bwhere"))
