// A vitest reporter that keeps what the suite expected and what it got, whole: the built-in JSON reporter cuts texts at 40 letters.
import { writeFileSync } from 'node:fs'
import { relative } from 'node:path'

export default class SuiteReporter {
  onFinished(files = []) {
    const tests = []
    const walk = (task, file, names) => {
      if (task.tasks) {
        for (const child of task.tasks) walk(child, file, task.type === 'suite' ? [...names, task.name] : names)
        return
      }
      const state = task.result?.state === 'pass' ? 'passed' : task.result?.state === 'fail' ? 'failed' : 'skipped'
      const errors = (task.result?.errors ?? []).map((e) => ({ message: e.message ?? '', expected: text(e.expected), actual: text(e.actual) }))
      tests.push({ file, name: [...names, task.name].join(' > '), state, errors })
    }
    for (const file of files) walk({ tasks: file.tasks }, relative(process.cwd(), file.filepath).replace(/^tests\//, ''), [])
    writeFileSync(process.env.SUITE_REPORT, JSON.stringify({ tests }, null, 1) + '\n')
  }
}

// Strings arrive as they are, or quoted as JSON.
function text(value) {
  if (typeof value !== 'string') return value === undefined ? '' : JSON.stringify(value)
  try {
    const parsed = JSON.parse(value)
    return typeof parsed === 'string' ? parsed : value
  } catch {
    return value
  }
}
