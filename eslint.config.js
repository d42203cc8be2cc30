import { defineConfig } from 'eslint/config'
import tseslint from 'typescript-eslint'

export default defineConfig(
  {
    ignores: [
      'node_modules/',
      'cdk.out/',
      '.htsvault/',
      'bench/data/',
      '*.config.js',
      'wasm/inflate/**',
      'wasm/crc64nvme.ts',
      'wasm/vcfLines.ts',
    ],
  },
  tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { project: './tsconfig.json', tsconfigRootDir: import.meta.dirname } },
    rules: {
      // Indexing typed arrays in hot loops: the bounds are checked once, outside the loop.
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/consistent-type-imports': 'error',
      'no-console': 'error',
      // As a namespace: what is not used of it, 360 kB, stays out of the functions' bundles.
      'no-restricted-syntax': [
        'error',
        {
          selector: 'ImportDeclaration[source.value="zod"] > ImportSpecifier',
          message: "import * as z from 'zod'",
        },
      ],
      eqeqeq: 'error',
    },
  },
  // The command line and the benchmarks print; that is their work.
  { files: ['cli/**', 'bench/**', 'test/**'], rules: { 'no-console': 'off' } },
)
