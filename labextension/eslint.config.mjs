import js from '@eslint/js';
import tseslint from 'typescript-eslint';

export default tseslint.config(
  { ignores: ['lib', 'dist', 'demo', 'node_modules', 'rspack.config.cjs'] },
  js.configs.recommended,
  ...tseslint.configs.strict,
  {
    // The view knows no host: neither JupyterLab nor anywidget.
    files: ['src/view/**'],
    rules: {
      'no-restricted-imports': [
        'error',
        { patterns: ['@jupyterlab/*', '@lumino/*', '@anywidget/*', '../host*'] }
      ]
    }
  }
);
